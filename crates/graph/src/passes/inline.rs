//! Inlining: replaces trivial higher-order operators by the bodies of their graphs.

use super::changed::Changed;
use super::trivial_hop::{self, TrivialHop};
use crate::Result;
use crate::graph::{Graph, Node, Operand, Output, Rewriter, ValueId};
use std::collections::HashMap;
use std::convert::Infallible;

/// Inlines in this graph and in the graphs inside it.
pub fn run(graph: &mut Graph) -> Result<Changed> {
    Ok(inside(graph, false))
}

/// Inlines in a graph after those inside it. `casts` is true if the graph may run with autocast
/// enabled.
fn inside(graph: &mut Graph, casts: bool) -> Changed {
    let mut changed = Changed::No;
    for node in &mut graph.nodes {
        let casts = casts || trivial_hop::enables_autocast(node);
        for argument in &mut node.inputs {
            argument
                .value
                .for_each_graph_mut(&mut |inner| changed = changed.or(inside(&mut inner.graph, casts)));
        }
    }
    changed.or(flatten(graph, casts))
}

fn flatten(graph: &mut Graph, casts: bool) -> Changed {
    if !graph.nodes.iter().any(|node| TrivialHop::of(node, casts).is_some()) {
        return Changed::No;
    }
    let written = graph.rewrite(|rewriter, node| {
        match TrivialHop::of(&node, casts).map(|wrapper| wrapper.to_owned()) {
            Some((body, operands)) => inline(rewriter, node, body, operands),
            None => rewriter.push(node),
        }
        Ok::<(), Infallible>(())
    });
    let Ok(()) = written;
    Changed::Yes
}

/// Operands of the outer graph that replace the values of a body.
type Meaning = HashMap<ValueId, Operand>;

fn inline(rewriter: &mut Rewriter<'_>, node: Node, mut body: Graph, operands: Vec<Operand>) {
    let mut meaning: Meaning = body.inputs.iter().copied().zip(operands).collect();
    keep_output_values(&body, &node.outputs, &mut meaning);
    for mut inner in std::mem::take(&mut body.nodes) {
        inner.inputs.iter_mut().for_each(|argument| argument.value.replace(&|id| meaning.get(&id).cloned()));
        for id in inner.outputs.iter_mut().flat_map(Output::values_mut) {
            *id = own(rewriter, &body, *id, &mut meaning);
        }
        rewriter.push(inner);
    }
    for (output, mut operand) in node.outputs.into_iter().zip(body.outputs) {
        operand.replace(&|id| meaning.get(&id).cloned());
        if let Output::Value(outer) = output {
            rewriter.replace(outer, operand);
        }
    }
}

/// Maps the values that the body defines and returns to the outer node's outputs, which keep their
/// names.
fn keep_output_values(body: &Graph, outputs: &[Output], meaning: &mut Meaning) {
    for (output, operand) in outputs.iter().zip(&body.outputs) {
        if let (Output::Value(outer), Operand::Value(inner)) = (output, operand) {
            meaning.entry(*inner).or_insert(Operand::Value(*outer));
        }
    }
}

/// Returns the outer value for one that the body defines.
fn own(rewriter: &mut Rewriter<'_>, body: &Graph, inner: ValueId, meaning: &mut Meaning) -> ValueId {
    if let Some(Operand::Value(outer)) = meaning.get(&inner) {
        return *outer;
    }
    // A value that the body does not have remains invalid, so that `verify` refuses it.
    let Some(value) = body.value(inner) else { return ValueId(u32::MAX) };
    let outer = rewriter.value(&value.name, value.kind.clone());
    meaning.insert(inner, Operand::Value(outer));
    outer
}
