//! Budget of constant folding: memory and work, by the sizes of the stored tensors.

use super::shapes::Inferred;
use crate::graph::{Function, ValueId};
use crate::program::schema::{SymInt, TensorMeta};
use std::collections::HashMap;

/// Limits of constant folding for a program. Neither depends on claims of the archive: both are
/// computed from the sizes of the stored tensors before anything runs.
#[derive(Clone, Copy, Debug)]
pub struct FoldingBudget {
    bytes: i64,
    work: i64,
}

impl FoldingBudget {
    /// Returns the budget of all constant folding. Memory: eight times the bytes of the stored
    /// tensors plus 64 MiB. Work: 64 elements read, written or multiplied for each stored byte,
    /// plus 2^30.
    pub fn whole(function: &Function) -> FoldingBudget {
        FoldingBudget::of(function, 8, 64 << 20)
    }

    /// Returns the budget of constant folding at load: memory of four times the stored bytes plus
    /// 16 MiB, and the same work.
    pub fn at_load(function: &Function) -> FoldingBudget {
        FoldingBudget::of(function, 4, 16 << 20)
    }

    fn of(function: &Function, times: i64, besides: i64) -> FoldingBudget {
        let stored = stored_bytes(function);
        FoldingBudget {
            bytes: stored.saturating_mul(times).saturating_add(besides),
            work: stored.saturating_mul(64).saturating_add(1 << 30),
        }
    }

    /// Charges the costs of a node. Returns false and leaves the budget unchanged if it does not
    /// suffice.
    pub fn charge(&mut self, node: &Inferred) -> bool {
        let affordable = node.bytes <= self.bytes && node.work <= self.work;
        if affordable {
            self.bytes -= node.bytes;
            self.work -= node.work;
        }
        affordable
    }
}

/// Returns the size of the storages behind a function's weights, as far as the weights extend over
/// them.
fn stored_bytes(function: &Function) -> i64 {
    let mut storages: HashMap<Result<u32, ValueId>, i64> = HashMap::new();
    for (binding, input) in function.inputs.iter().zip(&function.graph.inputs) {
        if let (Some(_), Some(value)) = (binding.weight(), function.graph.value(*input)) {
            let extent = function.graph.meta(*input).and_then(stored_extent).unwrap_or(0);
            let known = storages.entry(value.storage.ok_or(*input)).or_default();
            *known = extent.max(*known);
        }
    }
    storages.into_values().fold(0, i64::saturating_add)
}

/// Returns the end of a stored tensor in its storage, in bytes. An expanded tensor has more
/// elements than that.
pub fn stored_extent(meta: &TensorMeta) -> Option<i64> {
    let int = |size: &SymInt| if let SymInt::Int(size) = size { Some(*size) } else { None };
    let item = i64::try_from(meta.dtype.size_in_bytes()).ok()?;
    let mut last = int(&meta.storage_offset)?;
    for (size, stride) in meta.sizes.iter().zip(&meta.strides) {
        match int(size)? {
            0 => return Some(0),
            size => last = last.checked_add((size - 1).checked_mul(int(stride)?)?)?,
        }
    }
    last.checked_add(1)?.checked_mul(item)
}
