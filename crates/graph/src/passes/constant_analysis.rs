//! Constant analysis: values that are the same in every call, because they depend only on weights
//! that are never written.

use super::alias::AliasAnalysis;
use super::folding_budget::{FoldingBudget, stored_extent};
use super::op_effects::OpEffect;
use super::shapes::{Inferred, Shape, infer};
use crate::graph::{Function, Graph, Node, ValueId, ValueKind};
use std::collections::HashMap;

/// Maximum size of a folded constant beyond twice the memory of its operands, in bytes. A mask that
/// a program expands from little is cheaper to recompute than to keep.
const SMALL: i64 = 1 << 20;

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
