//! Keeps copies between devices of the exporting machine, which all become one device here.
//!
//! `to` returns its argument if there is nothing to change. A program may have moved a tensor to
//! another device and then written to one of the two, or returned it. It had two tensors and still
//! needs two.

use super::Changed;
use super::alias::AliasAnalysis;
use super::graph_edit::GraphEdit;
use crate::Result;
use crate::graph::{Function, Graph, Node, Operand, ValueId};

/// Requests a copy where the program could distinguish two tensors from one, in every graph.
pub fn run(function: &mut Function) -> Result<Changed> {
    let mut changed = inside(&mut function.graph);
    let aliases = AliasAnalysis::of_function(function);
    let needed = needed(&function.graph, &aliases, false);
    changed = changed.or(apply(&mut function.graph, &needed));
    Ok(changed)
}

fn inside(graph: &mut Graph) -> Changed {
    let mut changed = Changed::No;
    graph.for_each_graph_mut(&mut |inner| {
        let within = inside(&mut inner.graph);
        let aliases = AliasAnalysis::of(&inner.graph);
        let needed = needed(&inner.graph, &aliases, true);
        changed = changed.or(within).or(apply(&mut inner.graph, &needed));
    });
    changed
}

/// Returns the positions of the nodes that must copy. For a `nested` graph, the uses of its values
/// outside are unknown.
fn needed(graph: &Graph, aliases: &AliasAnalysis, nested: bool) -> Vec<usize> {
    let differs = |(from, to): (ValueId, ValueId)| {
        let device = |value| graph.meta(value).map(|meta| &meta.device.r#type);
        let moved = device(from).is_some() && device(to).is_some() && device(from) != device(to);
        moved && (nested || aliases.ever_written(from) || aliases.ever_written(to) || aliases.returned(to))
    };
    let nodes = graph.nodes.iter().enumerate();
    nodes.filter(|(_, node)| endpoints(node).is_some_and(differs)).map(|(index, _)| index).collect()
}

fn endpoints(node: &Node) -> Option<(ValueId, ValueId)> {
    let copies = node.argument("copy") == Some(&Operand::Bool(true));
    let from = node.argument("self").and_then(Operand::value)?;
    (node.is_aten("to") && !copies).then(|| Some((from, node.result()?)))?
}

fn apply(graph: &mut Graph, needed: &[usize]) -> Changed {
    let mut rewrite = GraphEdit::new(graph);
    for index in needed {
        rewrite.edit(*index, |node| node.set_argument("copy", Operand::Bool(true)));
    }
    rewrite.finish()
}
