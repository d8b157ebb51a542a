//! Batch norm folding: inference batch norm becomes part of the convolution or linear layer before
//! it.
//!
//! The factor of each output channel is folded into the weight, the shift into the bias. The new
//! weights are computed by nodes that run once.
//!
//! One call computes the factors and shifts of all norms of a kind. There may be hundreds of norms,
//! and a call costs more than its arithmetic. Types narrower than float32 are widened, so that each
//! weight is rounded once.

use super::alias::AliasAnalysis;
use super::changed::Changed;
use super::constant_analysis::ConstantSet;
use super::convolution::Convolution;
use super::graph_edit::{CallBuilder, GraphEdit};
use super::op_effects;
use super::pt2_ops::FOLD_NORMS;
use super::uses::Uses;
use super::weight_product::product;
use crate::Result;
use crate::graph::{Function, Graph, Node, Operand, Output, ValueId};
use crate::program::schema::{MemoryFormat, ScalarType, SymInt, TensorMeta};
use std::collections::{HashMap, HashSet};

/// Folds where every weight involved is a constant and the norm is the only user of its input.
pub fn run(function: &mut Function) -> Result<Changed> {
    let aliases = AliasAnalysis::of_function(function);
    let constants = ConstantSet::of(function, &aliases);
    let uses = Uses::of(&function.graph);
    let makers = function.graph.makers();
    let folds: Vec<NormFold> = (0..function.graph.nodes.len())
        .filter_map(|index| NormFold::at(&function.graph, index, &makers, &uses, &constants))
        .collect();
    let given: HashSet<ValueId> = function.graph.inputs.iter().copied().collect();
    let kinds: Vec<NormKind> = folds.iter().map(|fold| NormKind::of(fold, &function.graph, &given)).collect();
    let mut rewrite = GraphEdit::new(&mut function.graph);
    for group in grouped(folds, kinds) {
        apply(group, &mut rewrite);
    }
    Ok(rewrite.finish())
}

/// Properties that norms must share to be computed together.
#[derive(PartialEq)]
struct NormKind {
    /// Position of the node, for norms that are computed alone.
    alone: Option<usize>,
    rank: usize,
    /// Dtypes of the parameters, None for one that is absent, and of the weight.
    dtypes: Vec<Option<Option<ScalarType>>>,
    epsilon: f64,
}

impl NormKind {
    /// Alignment in elements: a vector is only divided into parts of a multiple of this size, so
    /// that every part is aligned for all kernels.
    const ALIGNED: i64 = 16;

    /// Norms of a group are computed before the first of their nodes, where only graph inputs are
    /// available.
    fn of(fold: &NormFold, graph: &Graph, given: &HashSet<ValueId>) -> NormKind {
        let NormFold { norm, bias, .. } = fold;
        let parameters = [Some(norm.variance), norm.weight, norm.bias, Some(norm.mean), *bias];
        let early = parameters.iter().flatten().all(|value| given.contains(value));
        let together = early && fold.channels % NormKind::ALIGNED == 0;
        let dtype = |value: &Option<ValueId>| value.map(|value| graph.meta(value).map(|meta| meta.dtype));
        let own = std::iter::once(Some(Some(fold.weight_meta.dtype)));
        NormKind {
            alone: (!together).then_some(fold.node_at),
            rank: fold.weight_meta.sizes.len(),
            dtypes: parameters.iter().map(dtype).chain(own).collect(),
            epsilon: norm.epsilon,
        }
    }
}

fn grouped(folds: Vec<NormFold>, kinds: Vec<NormKind>) -> Vec<Vec<NormFold>> {
    let mut groups: Vec<(NormKind, Vec<NormFold>)> = Vec::new();
    for (fold, kind) in folds.into_iter().zip(kinds) {
        match groups.iter_mut().find(|(known, _)| kind.alone.is_none() && *known == kind) {
            Some((_, group)) => group.push(fold),
            None => groups.push((kind, vec![fold])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

fn apply(group: Vec<NormFold>, rewrite: &mut GraphEdit) {
    let Some(first) = group.iter().min_by_key(|fold| fold.node_at) else { return };
    let mut sums = WeightMath { at: first.node_at, dtype: first.weight_meta.dtype, rewrite };
    let Some((factors, shifts)) = sums.folded(&group) else { return };
    let shifts = sums.parted("folded_bias", shifts, &group);
    let columns = sums.columns(&group, factors);
    for ((fold, shift), column) in group.into_iter().zip(shifts).zip(columns) {
        let mut sums = WeightMath { at: fold.node_at, dtype: fold.weight_meta.dtype, rewrite };
        let weight = sums.scaled(fold.weight, column, &fold.weight_meta);
        fold.apply(weight, shift, rewrite);
    }
}

/// Batch norm with fixed statistics.
struct Norm {
    input: ValueId,
    weight: Option<ValueId>,
    bias: Option<ValueId>,
    mean: ValueId,
    variance: ValueId,
    epsilon: f64,
    result: ValueId,
}

impl Norm {
    fn of(node: &Node, uses: &Uses) -> Option<Norm> {
        let fixed = node.is_aten("_native_batch_norm_legit_no_training")
            || (node.is_aten("batch_norm") && !op_effects::trains(node));
        let Some(Output::Value(result)) = node.outputs.first().filter(|_| fixed) else { return None };
        // The core form also returns batch statistics, which are empty in inference.
        if !node.defined().skip(1).all(|value| uses.is_unused(value)) {
            return None;
        }
        let value = |name: &str| node.argument(name).and_then(Operand::value);
        Some(Norm {
            input: value("input")?,
            weight: value("weight"),
            bias: value("bias"),
            mean: value("running_mean")?,
            variance: value("running_var")?,
            epsilon: node.argument("eps")?.number()?,
            result: *result,
        })
    }

    fn parameters(&self) -> impl Iterator<Item = ValueId> {
        [Some(self.mean), Some(self.variance), self.weight, self.bias].into_iter().flatten()
    }
}

/// Batch norm that is folded into the node before it.
struct NormFold {
    norm: Norm,
    norm_at: usize,
    node: Node,
    node_at: usize,
    weight: ValueId,
    bias: Option<ValueId>,
    weight_meta: TensorMeta,
    channels: i64,
}

impl NormFold {
    fn at(
        graph: &Graph,
        norm_at: usize,
        makers: &HashMap<ValueId, usize>,
        uses: &Uses,
        constants: &ConstantSet,
    ) -> Option<NormFold> {
        let norm = Norm::of(graph.nodes.get(norm_at)?, uses)?;
        uses.single_user(norm.input)?;
        let node_at = *makers.get(&norm.input)?;
        let node = graph.nodes.get(node_at)?.clone();
        let (weight, bias) = weights_of(graph, &node)?;
        let weight_meta = graph.meta(weight)?.clone();
        let same_dtype =
            |value: ValueId| graph.meta(value).is_some_and(|meta| meta.dtype == weight_meta.dtype);
        let fits = is_foldable(weight_meta.dtype)
            && bias.is_none_or(same_dtype)
            && same_dtype(norm.input)
            && same_dtype(norm.result)
            && (is_narrow(weight_meta.dtype) || norm.parameters().all(same_dtype));
        let SymInt::Int(channels) = *weight_meta.sizes.first()? else { return None };
        let is_vector = |value: ValueId| {
            graph
                .meta(value)
                .is_some_and(|meta| meta.sizes == [SymInt::Int(channels)] && is_foldable(meta.dtype))
        };
        let fits = fits && norm.parameters().chain(bias).all(is_vector);
        // The new weights are computed before the node, so they may only read values from before
        // it.
        let is_there = |value: ValueId| makers.get(&value).is_none_or(|maker| *maker < node_at);
        let mut all = norm.parameters().chain(bias).chain([weight]);
        let fold = all.all(|value| constants.contains(value) && is_there(value)) && fits;
        drop(all);
        fold.then_some(NormFold { norm, norm_at, node, node_at, weight, bias, weight_meta, channels })
    }

    fn apply(self, weight: ValueId, shift: ValueId, rewrite: &mut GraphEdit) {
        let NormFold { norm, norm_at, mut node, node_at, .. } = self;
        node.set_argument("weight", Operand::Value(weight));
        node.set_argument("bias", Operand::Value(shift));
        node.outputs = vec![Output::Value(norm.result)];
        rewrite.replace(node_at, node);
        rewrite.remove(norm_at);
    }
}

/// Returns weight and bias of a node whose second result dimension is the batch norm's channels.
fn weights_of(graph: &Graph, node: &Node) -> Option<(ValueId, Option<ValueId>)> {
    if let Some(conv) = Convolution::of(node) {
        // Without a batch dimension the second dimension is not the channels.
        let batched = graph.meta(conv.input)?.sizes.len() == conv.spatial() + 2;
        return batched.then_some((conv.weight, conv.bias));
    }
    let weight = node.argument("weight").filter(|_| node.is_aten("linear"))?.value()?;
    let is_matrix = |value| graph.meta(value).is_some_and(|meta| meta.sizes.len() == 2);
    let flat = is_matrix(node.result()?) && is_matrix(weight);
    flat.then_some((weight, node.argument("bias").and_then(Operand::value)))
}

fn is_foldable(dtype: ScalarType) -> bool {
    is_narrow(dtype) || matches!(dtype, ScalarType::Float | ScalarType::Double)
}

/// Returns true for the dtypes beside which batch norm may keep its parameters in float32.
fn is_narrow(dtype: ScalarType) -> bool {
    matches!(dtype, ScalarType::Half | ScalarType::BFloat16)
}

/// Builder of the nodes that compute new weights.
struct WeightMath<'a, 'g> {
    rewrite: &'a mut GraphEdit<'g>,
    at: usize,
    dtype: ScalarType,
}

impl WeightMath<'_, '_> {
    fn insert(&mut self, name: &str, call: CallBuilder) -> ValueId {
        self.rewrite.insert(self.at, name, None, call)
    }

    /// Returns the concatenated factors and shifts of all norms.
    ///
    /// A factor is `weight / sqrt(variance + epsilon)`, a shift `bias + (old_bias - mean) *
    /// factor`.
    fn folded(&mut self, group: &[NormFold]) -> Option<(ValueId, ValueId)> {
        let list = |of: &dyn Fn(&NormFold) -> Option<ValueId>| -> Operand {
            // Norms of a kind all have a parameter, or none has it.
            Operand::List(group.iter().filter_map(of).map(Operand::Value).collect())
        };
        let call = CallBuilder::of("pt2", FOLD_NORMS, "default")
            .with("variances", list(&|fold| Some(fold.norm.variance)))
            .with("means", list(&|fold| Some(fold.norm.mean)))
            .with("weights", list(&|fold| fold.norm.weight))
            .with("biases", list(&|fold| fold.norm.bias))
            .with("old_biases", list(&|fold| fold.bias))
            .with("epsilon", group.first()?.norm.epsilon)
            .with("dtype", Operand::ScalarType(self.dtype));
        match self.rewrite.insert_list(self.at, "folded_norms", 2, call).as_slice() {
            [factors, shifts] => Some((*factors, *shifts)),
            _ => None,
        }
    }

    /// Returns the factors of each norm with the rank of the weight. All dimensions but the first
    /// have size one.
    fn columns(&mut self, group: &[NormFold], scale: ValueId) -> Vec<ValueId> {
        let rank = group.first().map_or(1, |fold| fold.weight_meta.sizes.len());
        let mut sizes = vec![1; rank];
        if let Some(first) = sizes.first_mut() {
            *first = -1;
        }
        let column =
            CallBuilder::aten("reshape", "default").with("self", scale).with("shape", sizes.as_slice());
        let column = self.insert("folded_scale", column);
        self.parted("folded_scale", column, group)
    }

    /// Splits a concatenated vector into the part of each norm.
    fn parted(&mut self, name: &str, value: ValueId, group: &[NormFold]) -> Vec<ValueId> {
        let sizes: Vec<i64> = group.iter().map(|fold| fold.channels).collect();
        if group.len() == 1 {
            return vec![value];
        }
        let call = CallBuilder::aten("split_with_sizes", "default").with("self", value);
        self.rewrite.insert_list(self.at, name, group.len(), call.with("split_sizes", sizes.as_slice()))
    }

    /// Multiplies a weight by a factor for each element of its first dimension.
    fn scaled(&mut self, weight: ValueId, column: ValueId, meta: &TensorMeta) -> ValueId {
        let format =
            if is_narrow(self.dtype) { MemoryFormat::ContiguousFormat } else { MemoryFormat::PreserveFormat };
        let product = product(weight, column, format);
        let made = TensorMeta { requires_grad: false, ..meta.clone() };
        self.rewrite.insert(self.at, "folded_weight", Some(made), product)
    }
}
