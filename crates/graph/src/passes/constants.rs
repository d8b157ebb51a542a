//! Constant analysis: values that are the same in every call, because they depend only on weights that are
//! never written.

use super::alias::AliasAnalysis;
use super::op_effects::OpEffect;
use super::shapes::{Inferred, Shape, infer};
use crate::graph::{Function, Graph, Node, ValueId, ValueKind};
use crate::program::schema::{SymInt, TensorMeta};
use std::collections::HashMap;

/// What a folded constant may take besides twice the memory of what it is computed from: a mask that a program
/// expands from little is cheaper to compute again than to keep.
const SMALL: i64 = 1 << 20;

/// What constant folding may take of a program, beside the weights and altogether. Nothing of it is a claim of the
/// archive: both are counted from the stored tensors' sizes before anything is computed.
#[derive(Clone, Copy, Debug)]
pub struct FoldingBudget {
    bytes: i64,
    work: i64,
}

impl FoldingBudget {
    /// For all of it: eight times the bytes of the stored tensors and 64 MiB; 64 elements read, written or multiplied
    /// for each stored byte and 2^30.
    pub fn whole(function: &Function) -> FoldingBudget {
        FoldingBudget::of(function, 8, 64 << 20)
    }

    /// For what is computed while the model is loaded: four times the bytes of the stored tensors and 16 MiB.
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

    /// Charges for a node, or leaves the budget as it is where it does not suffice.
    pub fn charge(&mut self, node: &Inferred) -> bool {
        let affordable = node.bytes <= self.bytes && node.work <= self.work;
        if affordable {
            self.bytes -= node.bytes;
            self.work -= node.work;
        }
        affordable
    }
}

/// The constant values of a function.
pub struct ConstantSet {
    constant: Vec<bool>,
    shapes: Vec<Option<Shape>>,
    /// Of stored tensors, how many bytes of their storages they reach into.
    stored: HashMap<ValueId, i64>,
}

impl ConstantSet {
    /// Weights that nobody writes to or returns, and what listed operators compute from them as far as the budget
    /// goes. Results whose size is not known before they are computed are not among them.
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

    /// Whether the value is the same in every call.
    pub fn contains(&self, value: ValueId) -> bool {
        self.constant.get(value.index()).copied().unwrap_or(false)
    }

    /// What a node computes, from what is stored.
    pub fn infer(&self, node: &Node) -> Option<Inferred> {
        infer(node, &|value| self.shape(value))
    }

    fn shape(&self, value: ValueId) -> Option<&Shape> {
        self.shapes.get(value.index())?.as_ref()
    }

    /// Whether a node could run once for all calls.
    fn includes(&self, graph: &Graph, node: &Node) -> bool {
        let is_tensor = |id| graph.value(id).is_some_and(|value| matches!(value.kind, ValueKind::Tensor(_)));
        let mut all =
            matches!(OpEffect::of(node), OpEffect::Fresh | OpEffect::View) && node.defined().all(is_tensor);
        node.for_each_use(&mut |value| all &= self.contains(value));
        all
    }

    /// Whether it is better to keep a node's results than to compute them in each call.
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

/// The bytes of the storages behind a function's weights, as far as the weights reach into them.
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

/// How far a stored tensor reaches into its storage, in bytes: an expanded one has more elements than that.
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
