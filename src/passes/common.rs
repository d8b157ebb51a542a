//! Computes once what several nodes compute from the same values.
//!
//! Two nodes are the same if they call the same operator on the same operands, if what they compute is new memory
//! that nobody writes to or returns, and if nothing was written to the operands in between.

use super::Changed;
use super::aliases::Aliases;
use super::memory::Memory;
use super::rewrite::Rewrite;
use crate::Result;
use crate::graph::{Function, Graph, Node, ValueId};
use std::collections::HashMap;

/// Looks at the program's own graph.
pub fn run(function: &mut Function) -> Result<Changed> {
    let aliases = Aliases::of_function(function);
    let twins = twins(&function.graph, &aliases);
    let mut rewrite = Rewrite::new(&mut function.graph);
    for (at, value, first) in twins {
        rewrite.remove(at);
        rewrite.substitute(value, first);
    }
    Ok(rewrite.finish())
}

/// The position and result of each node that computes what an earlier one did, with that one's result.
fn twins(graph: &Graph, aliases: &Aliases) -> Vec<(usize, ValueId, ValueId)> {
    let mut known: HashMap<String, (usize, ValueId)> = HashMap::new();
    let mut same: HashMap<ValueId, ValueId> = HashMap::new();
    let mut twins = Vec::new();
    for (at, node) in graph.nodes.iter().enumerate() {
        let Some(result) = node.result().filter(|result| may_be_shared(node, *result, aliases)) else {
            continue;
        };
        match known.get(&key(node, &same)) {
            Some((first_at, first)) if is_unchanged(node, *first_at..at, aliases) => {
                twins.push((at, result, *first));
                same.insert(result, *first);
            }
            _ => {
                known.insert(key(node, &same), (at, result));
            }
        }
    }
    twins
}

/// What is alone in its memory for the whole call may stand for another such value.
fn may_be_shared(node: &Node, result: ValueId, aliases: &Aliases) -> bool {
    Memory::of(node) == Memory::Fresh && !aliases.ever_written(result) && !aliases.returned(result)
}

fn is_unchanged(node: &Node, between: std::ops::Range<usize>, aliases: &Aliases) -> bool {
    let mut unchanged = true;
    node.for_each_use(&mut |value| unchanged &= !aliases.written(value, between.clone()));
    unchanged
}

fn key(node: &Node, same: &HashMap<ValueId, ValueId>) -> String {
    let mut inputs = node.inputs.clone();
    for argument in &mut inputs {
        argument.keyword = None;
        argument.value.for_each_value_mut(&mut |value| *value = same.get(value).copied().unwrap_or(*value));
    }
    format!("{}{inputs:?}", node.target)
}
