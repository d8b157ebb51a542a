//! Keeps copies between devices of the exporting machine, which all become one device here.
//!
//! `to` returns its argument if there is nothing to change. A program may have moved a tensor to
//! another device and then written to one of the two, or returned it. It had two tensors and still
//! needs two.

use super::alias::AliasAnalysis;
use super::changed::Changed;
use super::graph_edit::GraphEdit;
use crate::Result;
use crate::graph::{Function, Graph, Node, Operand, ValueId};

/// Requests a copy where the program could distinguish two tensors from one, in every graph.
pub fn run(function: &mut Function) -> Result<Changed> {
    let changed = inside(&mut function.graph);
    let moves = Moves::of(&function.graph);
    if moves.is_empty() {
        return Ok(changed);
    }
    let aliases = AliasAnalysis::of_function(function);
    let needed = moves.needed(&aliases, false);
    Ok(changed.or(apply(&mut function.graph, &needed)))
}

fn inside(graph: &mut Graph) -> Changed {
    let mut changed = Changed::No;
    graph.for_each_graph_mut(&mut |inner| {
        changed = changed.or(inside(&mut inner.graph));
        let moves = Moves::of(&inner.graph);
        if !moves.is_empty() {
            let needed = moves.needed(&AliasAnalysis::of(&inner.graph), true);
            changed = changed.or(apply(&mut inner.graph, &needed));
        }
    });
    changed
}

/// Calls of `to` that moved a tensor to another device: position, argument and result.
struct Moves(Vec<(usize, ValueId, ValueId)>);

impl Moves {
    fn of(graph: &Graph) -> Moves {
        let device = |value| graph.meta(value).map(|meta| &meta.device.r#type);
        let moved = |(index, node)| {
            let (from, to) = endpoints(node)?;
            let moved = device(from).is_some() && device(to).is_some() && device(from) != device(to);
            moved.then_some((index, from, to))
        };
        Moves(graph.nodes.iter().enumerate().filter_map(moved).collect())
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the nodes where the program could distinguish two tensors from one. Uses of a
    /// `nested` graph's values outside of it are unknown.
    fn needed(&self, aliases: &AliasAnalysis, nested: bool) -> Vec<usize> {
        let differs = |from, to| {
            nested || aliases.ever_written(from) || aliases.ever_written(to) || aliases.returned(to)
        };
        self.0.iter().filter(|(_, from, to)| differs(*from, *to)).map(|(index, ..)| *index).collect()
    }
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
