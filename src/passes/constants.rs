//! Which values are the same in every call: those computed from nothing but weights that nobody writes to.

use super::aliases::Aliases;
use super::memory::Memory;
use crate::graph::{Function, Graph, Node, ValueId, ValueKind};
use crate::program::schema::{SymInt, TensorMeta};

/// What a computed constant may take besides twice the memory of what it is computed from: a mask that a program
/// expands from little is cheaper to compute again than to keep.
const SMALL: i64 = 1 << 20;

/// The constant values of a function.
pub struct Constants {
    constant: Vec<bool>,
}

impl Constants {
    /// Weights that nobody writes to or returns, and what listed operators compute from them.
    pub fn of(function: &Function, aliases: &Aliases) -> Constants {
        let graph = &function.graph;
        let mut constants = Constants { constant: vec![false; graph.values.len()] };
        let settled = |value: ValueId| !aliases.ever_written(value) && !aliases.returned(value);
        for (binding, input) in function.inputs.iter().zip(&graph.inputs) {
            if binding.weight().is_some() && settled(*input) {
                constants.add(*input);
            }
        }
        for node in &graph.nodes {
            if constants.includes(node) && node.defined().all(settled) && is_affordable(graph, node, aliases)
            {
                node.defined().for_each(|value| constants.add(value));
            }
        }
        constants
    }

    /// Whether the value is the same in every call.
    pub fn contains(&self, value: ValueId) -> bool {
        self.constant.get(value.index()).copied().unwrap_or(false)
    }

    /// Whether a node could run once for all calls.
    fn includes(&self, node: &Node) -> bool {
        let mut all = matches!(Memory::of(node), Memory::Fresh | Memory::View);
        node.for_each_use(&mut |value| all &= self.contains(value));
        all
    }

    fn add(&mut self, value: ValueId) {
        self.constant.get_mut(value.index()).into_iter().for_each(|constant| *constant = true);
    }
}

/// Whether a node's results are tensors that may be kept: views are free, new memory is bounded.
fn is_affordable(graph: &Graph, node: &Node, aliases: &Aliases) -> bool {
    let is_tensor = |id| graph.value(id).is_some_and(|value| matches!(value.kind, ValueKind::Tensor(_)));
    if !node.defined().all(is_tensor) {
        return false;
    }
    let made = node.defined().filter(|value| aliases.is_fresh(*value));
    let made: Option<i64> = made.map(|value| graph.meta(value).map_or(Some(0), bytes)).sum();
    let mut read = 0i64;
    node.for_each_use(&mut |value| {
        let roots = aliases.roots(value).iter().flat_map(|roots| roots.iter());
        read += roots.filter_map(|root| graph.meta(*root).and_then(bytes)).sum::<i64>();
    });
    made.is_some_and(|made| made <= read.saturating_mul(2).saturating_add(SMALL))
}

/// The bytes of a tensor whose sizes are known.
fn bytes(meta: &TensorMeta) -> Option<i64> {
    let mut bytes = i64::try_from(meta.dtype.size_in_bytes()).ok()?;
    for size in &meta.sizes {
        let SymInt::Int(size) = size else { return None };
        bytes = bytes.checked_mul(*size)?;
    }
    Some(bytes)
}
