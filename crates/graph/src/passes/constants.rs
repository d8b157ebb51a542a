//! Constant analysis: values that are the same in every call, because they depend only on weights
//! that are never written.

use super::alias::AliasAnalysis;
use super::op_effects::OpEffect;
use super::shapes::{Inferred, Shape, infer};
use crate::graph::{Function, Graph, Node, ValueId, ValueKind};
use crate::program::schema::{SymInt, TensorMeta};
use std::collections::HashMap;

/// Maximum size of a folded constant beyond twice the memory of its operands, in bytes. A mask that
/// a program expands from little is cheaper to recompute than to keep.
const SMALL: i64 = 1 << 20;

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

/// Constant values of a function.
pub struct ConstantSet {
    constant: Vec<bool>,
    shapes: Vec<Option<Shape>>,
    /// Sizes of the parts of storages that stored tensors extend over, in bytes.
    stored: HashMap<ValueId, i64>,
}

impl ConstantSet {
    /// Finds the weights that are neither written nor returned, and the results that listed
    /// operators compute from them within the budget. Results whose size is unknown before they are
    /// computed are excluded.
    pub fn of(function: &Function, aliases: &AliasAnalysis) -> ConstantSet {
        let graph = &function.graph;
        let count = graph.values.len();
        let stored = graph
            .inputs
            .iter()
            .map(|input| (*input, graph.meta(*input).and_then(stored_extent).unwrap_or(0)));
        let mut constants =
            ConstantSet { constant: vec![false; count], shapes: vec![None; count], stored: stored.collect() };
        let mut budget = FoldingBudget::whole(function);
        let settled = |value: ValueId| !aliases.ever_written(value) && !aliases.returned(value);
        for (binding, input) in function.inputs.iter().zip(&graph.inputs) {
            if binding.weight().is_some() && settled(*input) {
                let shape = graph.meta(*input).and_then(Shape::of_stored);
                constants.add(*input, shape);
            }
        }
        for node in &graph.nodes {
            if constants.includes(graph, node) && node.defined().all(settled) {
                let affordable =
                    |inferred: &Inferred| constants.pays(node, aliases, inferred) && budget.charge(inferred);
                let inferred = constants.infer(node).filter(affordable);
                let shapes = inferred.into_iter().flat_map(|inferred| inferred.shapes);
                node.defined().zip(shapes).for_each(|(value, shape)| constants.add(value, Some(shape)));
            }
        }
        constants
    }

    /// Returns true if the value is the same in every call.
    pub fn contains(&self, value: ValueId) -> bool {
        self.constant.get(value.index()).copied().unwrap_or(false)
    }

    /// Infers the results of a node from the shapes of constants.
    pub fn infer(&self, node: &Node) -> Option<Inferred> {
        infer(node, &|value| self.shape(value))
    }

    fn shape(&self, value: ValueId) -> Option<&Shape> {
        self.shapes.get(value.index())?.as_ref()
    }

    /// Returns true if a node could run once for all calls.
    fn includes(&self, graph: &Graph, node: &Node) -> bool {
        let is_tensor = |id| graph.value(id).is_some_and(|value| matches!(value.kind, ValueKind::Tensor(_)));
        let mut all = true;
        node.for_each_use(&mut |value| all &= self.contains(value));
        all && node.defined().all(is_tensor) && matches!(OpEffect::of(node), OpEffect::Fresh | OpEffect::View)
    }

    /// Returns true if a node's results are small enough to keep instead of computing them in each
    /// call.
    fn pays(&self, node: &Node, aliases: &AliasAnalysis, made: &Inferred) -> bool {
        let bytes = |root: &ValueId| match self.stored.get(root) {
            Some(bytes) => Some(*bytes),
            None => self.shape(*root).and_then(Shape::bytes),
        };
        let mut read = 0i64;
        node.for_each_use(&mut |value| {
            let roots = aliases.roots(value).iter().flat_map(|roots| roots.iter());
            read = roots.filter_map(bytes).fold(read, i64::saturating_add);
        });
        made.bytes <= read.saturating_mul(2).saturating_add(SMALL)
    }

    fn add(&mut self, value: ValueId, shape: Option<Shape>) {
        if let (Some(constant), Some(place)) =
            (self.constant.get_mut(value.index()), self.shapes.get_mut(value.index()))
        {
            (*constant, *place) = (true, shape);
        }
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
fn stored_extent(meta: &TensorMeta) -> Option<i64> {
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
