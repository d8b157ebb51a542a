//! Common subexpression elimination.
//!
//! Two nodes are the same if they call the same operator on the same operands. Their results must
//! be new memory that is neither written nor returned, and no node between them may write to the
//! operands.

use super::alias::AliasAnalysis;
use super::changed::Changed;
use super::graph_edit::GraphEdit;
use super::op_effects::OpEffect;
use crate::Result;
use crate::graph::{Argument, Function, Graph, Node, Operand, Target, ValueId};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Rewrites the program's own graph.
pub fn run(function: &mut Function) -> Result<Changed> {
    let aliases = AliasAnalysis::of_function(function);
    let twins = twins(&function.graph, &aliases);
    let mut rewrite = GraphEdit::new(&mut function.graph);
    for (at, value, first) in twins {
        rewrite.remove(at);
        rewrite.substitute(value, first);
    }
    Ok(rewrite.finish())
}

/// Returns position and result of each node that repeats an earlier one, with the result of the
/// earlier one.
fn twins(graph: &Graph, aliases: &AliasAnalysis) -> Vec<(usize, ValueId, ValueId)> {
    let mut known: HashMap<(&Target, Vec<ValueId>), (usize, ValueId)> = HashMap::new();
    let mut same: HashMap<ValueId, ValueId> = HashMap::new();
    let mut twins = Vec::new();
    for (at, node) in graph.nodes.iter().enumerate() {
        let Some(result) = node.result().filter(|result| may_be_shared(node, *result, aliases)) else {
            continue;
        };
        let mut read = Vec::new();
        node.for_each_use(&mut |value| read.push(same.get(&value).copied().unwrap_or(value)));
        match known.entry((&node.target, read)) {
            Entry::Occupied(mut found) => {
                let (first_at, first) = *found.get();
                let alike = graph.nodes.get(first_at).is_some_and(|first| are_alike(first, node));
                if alike && is_unchanged(node, first_at..at, aliases) {
                    twins.push((at, result, first));
                    same.insert(result, first);
                } else {
                    found.insert((at, result));
                }
            }
            Entry::Vacant(free) => _ = free.insert((at, result)),
        }
    }
    twins
}

/// Returns true if two calls on the same values agree in all other arguments.
fn are_alike(one: &Node, other: &Node) -> bool {
    let alike = |(one, other): (&Argument, &Argument)| {
        one.name == other.name && without_values(&one.value) == without_values(&other.value)
    };
    one.inputs.len() == other.inputs.len() && one.inputs.iter().zip(&other.inputs).all(alike)
}

fn without_values(operand: &Operand) -> Operand {
    let mut plain = operand.clone();
    plain.for_each_value_mut(&mut |value| *value = ValueId(0));
    plain
}

/// Returns true if the result has its own memory for the whole call, so that another such value may
/// replace it.
fn may_be_shared(node: &Node, result: ValueId, aliases: &AliasAnalysis) -> bool {
    OpEffect::of(node) == OpEffect::Fresh && !aliases.ever_written(result) && !aliases.returned(result)
}

fn is_unchanged(node: &Node, between: std::ops::Range<usize>, aliases: &AliasAnalysis) -> bool {
    let mut unchanged = true;
    node.for_each_use(&mut |value| unchanged &= !aliases.written(value, between.clone()));
    unchanged
}
