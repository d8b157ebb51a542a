//! Liveness: the last use of each slot, after which the run loop releases it.
//!
//! `passes::last_use` decides about the reuse of memory by in-place calls.

use super::operand::slot;
use crate::graph::{Function, Graph, Operand};
use std::collections::HashSet;

/// Returns for each node the slots of which it is the last use. A value without a use dies at its
/// definition.
pub fn dead_after(graph: &Graph, kept: &HashSet<u32>) -> Vec<Vec<u32>> {
    let mut alive = kept.clone();
    let mut dead: Vec<Vec<u32>> = graph
        .nodes
        .iter()
        .rev()
        .map(|node| {
            let mut ended = Vec::new();
            let mut end = |slot| {
                if alive.insert(slot) {
                    ended.push(slot);
                }
            };
            node.defined().for_each(|value| end(slot(value)));
            node.for_each_use(&mut |value| end(slot(value)));
            ended
        })
        .collect();
    dead.reverse();
    dead
}

/// Returns the slots that live until the call ends: weights, outputs and targets of copies back.
pub fn live_out(function: &Function, weights: impl Iterator<Item = u32>) -> HashSet<u32> {
    let mut kept: HashSet<u32> = weights.collect();
    for output in &function.graph.outputs {
        output.for_each_value(&mut |value| {
            kept.insert(slot(value));
        });
    }
    for (output, operand) in function.outputs.iter().zip(&function.graph.outputs) {
        if let (Some(index), Operand::Value(_)) = (function.mutated_input(output), operand) {
            kept.extend(function.graph.inputs.get(index).map(|value| slot(*value)));
        }
    }
    kept
}

/// Returns the slots to empty after the last step, so that the frame holds only weights again.
pub fn leftover(function: &Function, dead: &[Vec<u32>], weights: &HashSet<u32>) -> Vec<u32> {
    let freed: HashSet<u32> = dead.iter().flatten().copied().collect();
    let defined = function.graph.nodes.iter().flat_map(|node| node.defined());
    let all: HashSet<u32> = function.graph.inputs.iter().copied().chain(defined).map(slot).collect();
    let mut left: Vec<u32> =
        all.into_iter().filter(|slot| !freed.contains(slot) && !weights.contains(slot)).collect();
    left.sort_unstable();
    left
}
