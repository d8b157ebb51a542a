//! Puts the body of a wrapper in its place: of every node that runs one graph as it is.

use super::Changed;
use super::wrapper::{self, Wrapper};
use crate::Result;
use crate::graph::{Graph, Node, Operand, Output, ValueId};
use std::collections::{HashMap, HashSet};

/// Inlines in this graph and in the graphs inside it.
pub fn run(graph: &mut Graph) -> Result<Changed> {
    Ok(inside(graph, false))
}

/// `casts` says whether the graph may run with automatic casts on.
fn inside(graph: &mut Graph, casts: bool) -> Changed {
    let mut changed = Changed::No;
    for node in &mut graph.nodes {
        let casts = casts || wrapper::switches_casts_on(node);
        for argument in &mut node.inputs {
            argument
                .value
                .for_each_graph_mut(&mut |inner| changed = changed.or(inside(&mut inner.graph, casts)));
        }
    }
    changed.or(flatten(graph, casts))
}

fn flatten(graph: &mut Graph, casts: bool) -> Changed {
    if !graph.nodes.iter().any(|node| Wrapper::of(node, casts).is_some()) {
        return Changed::No;
    }
    let nodes = std::mem::take(&mut graph.nodes);
    let names = graph.values.iter().map(|value| value.name.clone()).collect();
    let mut inliner = Inliner { graph, names, replaced: HashMap::new() };
    for mut node in nodes {
        node.inputs.iter_mut().for_each(|argument| inliner.resolve(&mut argument.value));
        match Wrapper::of(&node, casts).map(|wrapper| wrapper.to_owned()) {
            Some((body, operands)) => inliner.inline(node, body, operands),
            None => inliner.graph.nodes.push(node),
        }
    }
    let mut outputs = std::mem::take(&mut inliner.graph.outputs);
    outputs.iter_mut().for_each(|output| inliner.resolve(output));
    graph.outputs = outputs;
    Changed::Yes
}

struct Inliner<'a> {
    /// The graph around the bodies, of which the nodes are written anew.
    graph: &'a mut Graph,
    names: HashSet<String>,
    /// Values that a body only passes through, and what they are outside.
    replaced: HashMap<ValueId, Operand>,
}

impl Inliner<'_> {
    fn resolve(&self, operand: &mut Operand) {
        operand.replace(&|id| self.replaced.get(&id).cloned());
    }

    fn inline(&mut self, node: Node, mut body: Graph, operands: Vec<Operand>) {
        let mut meaning: HashMap<ValueId, Operand> = body.inputs.iter().copied().zip(operands).collect();
        self.keep_output_values(&body, &node.outputs, &mut meaning);
        for mut inner in std::mem::take(&mut body.nodes) {
            inner
                .inputs
                .iter_mut()
                .for_each(|argument| argument.value.replace(&|id| meaning.get(&id).cloned()));
            for id in inner.outputs.iter_mut().flat_map(Output::values_mut) {
                *id = self.own(&body, *id, &mut meaning);
            }
            self.graph.nodes.push(inner);
        }
        for (output, mut operand) in node.outputs.into_iter().zip(body.outputs) {
            operand.replace(&|id| meaning.get(&id).cloned());
            self.pass_through(output, operand);
        }
    }

    /// A value that the body defines and returns is the outer node's output, under that name.
    fn keep_output_values(&self, body: &Graph, outputs: &[Output], meaning: &mut HashMap<ValueId, Operand>) {
        for (output, operand) in outputs.iter().zip(&body.outputs) {
            if let (Output::Value(outer), Operand::Value(inner)) = (output, operand) {
                meaning.entry(*inner).or_insert(Operand::Value(*outer));
            }
        }
    }

    /// The value outside for one that the body defines.
    fn own(&mut self, body: &Graph, inner: ValueId, meaning: &mut HashMap<ValueId, Operand>) -> ValueId {
        if let Some(Operand::Value(outer)) = meaning.get(&inner) {
            return *outer;
        }
        let outer = ValueId(u32::try_from(self.graph.values.len()).unwrap_or(u32::MAX));
        if let Some(mut value) = body.value(inner).cloned() {
            value.name = self.fresh(&value.name);
            self.graph.values.push(value);
        }
        meaning.insert(inner, Operand::Value(outer));
        outer
    }

    fn fresh(&mut self, name: &str) -> String {
        let numbered = (1..).map(|number| format!("{name}_{number}"));
        let free = std::iter::once(name.to_owned()).chain(numbered).find(|name| !self.names.contains(name));
        let name = free.unwrap_or_default();
        self.names.insert(name.clone());
        name
    }

    fn pass_through(&mut self, output: Output, operand: Operand) {
        match output {
            Output::Value(outer) if operand != Operand::Value(outer) => {
                self.replaced.insert(outer, operand);
            }
            _ => {}
        }
    }
}
