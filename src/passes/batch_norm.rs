//! Folds batch norm in inference into the convolution or linear layer before it: a factor for each output channel
//! becomes part of the weight, a shift part of the bias.
//!
//! The new weights are computed by nodes that run once. Types narrower than float32 are widened for that, so that
//! each weight is rounded once.

use super::Changed;
use super::aliases::Aliases;
use super::constants::Constants;
use super::convolution::Convolution;
use super::memory;
use super::readers::Readers;
use super::rewrite::{Call, Rewrite};
use crate::Result;
use crate::graph::{Function, Graph, Node, Operand, Output, ValueId};
use crate::program::schema::{ScalarType, TensorMeta};

/// Folds wherever every weight involved is a constant and nobody else reads what is normalised.
pub fn run(function: &mut Function) -> Result<Changed> {
    let aliases = Aliases::of_function(function);
    let constants = Constants::of(function, &aliases);
    let readers = Readers::of(&function.graph);
    let folds: Vec<Fold> = (0..function.graph.nodes.len())
        .filter_map(|index| Fold::at(&function.graph, index, &readers, &constants))
        .collect();
    let mut rewrite = Rewrite::new(&mut function.graph);
    folds.into_iter().for_each(|fold| fold.apply(&mut rewrite));
    Ok(rewrite.finish())
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
    fn of(node: &Node, readers: &Readers) -> Option<Norm> {
        let fixed = node.is_aten("_native_batch_norm_legit_no_training")
            || (node.is_aten("batch_norm") && !memory::trains(node));
        let Some(Output::Value(result)) = node.outputs.first().filter(|_| fixed) else { return None };
        // The core form also returns the batch's statistics, of which there are none.
        if !node.defined().skip(1).all(|value| readers.nobody(value)) {
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

/// One batch norm that goes into the node before it.
struct Fold {
    norm: Norm,
    norm_at: usize,
    node: Node,
    node_at: usize,
    weight: ValueId,
    bias: Option<ValueId>,
    weight_meta: TensorMeta,
}

impl Fold {
    fn at(graph: &Graph, norm_at: usize, readers: &Readers, constants: &Constants) -> Option<Fold> {
        let norm = Norm::of(graph.nodes.get(norm_at)?, readers)?;
        readers.sole(norm.input)?;
        let node_at = graph.nodes.iter().position(|node| node.result() == Some(norm.input))?;
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
        let mut all = norm.parameters().chain(bias).chain([weight]);
        let fold = all.all(|value| constants.contains(value)) && fits;
        drop(all);
        fold.then_some(Fold { norm, norm_at, node, node_at, weight, bias, weight_meta })
    }

    fn apply(self, rewrite: &mut Rewrite) {
        let Fold { norm, norm_at, mut node, node_at, weight, bias, weight_meta } = self;
        let mut sums = Sums { rewrite, at: node_at, dtype: weight_meta.dtype };
        let scale = sums.scale(&norm);
        let shift = sums.shift(&norm, bias, scale);
        let weight = sums.scaled(weight, scale, &weight_meta);
        node.set_argument("weight", Operand::Value(weight));
        node.set_argument("bias", Operand::Value(shift));
        node.outputs = vec![Output::Value(norm.result)];
        rewrite.replace(node_at, node);
        rewrite.remove(norm_at);
    }
}

/// The weight and bias of a node whose second result dimension is the one that batch norm works on.
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

/// Batch norm keeps its parameters in float32 beside these, if it likes.
fn is_narrow(dtype: ScalarType) -> bool {
    matches!(dtype, ScalarType::Half | ScalarType::BFloat16)
}

/// Writes the nodes that compute new weights.
struct Sums<'a, 'g> {
    rewrite: &'a mut Rewrite<'g>,
    at: usize,
    dtype: ScalarType,
}

impl Sums<'_, '_> {
    fn insert(&mut self, name: &str, call: Call) -> ValueId {
        self.rewrite.insert(self.at, name, None, call)
    }

    /// `weight / sqrt(variance + epsilon)`
    fn scale(&mut self, norm: &Norm) -> ValueId {
        let variance = self.widened(norm.variance);
        let sum = Call::aten("add", "Scalar").with("self", variance).with("other", norm.epsilon);
        let sum = self.insert("folded_variance", sum);
        let scale = self.insert("folded_scale", Call::aten("rsqrt", "default").with("self", sum));
        match norm.weight {
            Some(weight) => {
                let weight = self.widened(weight);
                let product = Call::aten("mul", "Tensor").with("self", weight).with("other", scale);
                self.insert("folded_scale", product)
            }
            None => scale,
        }
    }

    /// `bias + (old_bias - mean) * scale`
    fn shift(&mut self, norm: &Norm, old_bias: Option<ValueId>, scale: ValueId) -> ValueId {
        let mean = self.widened(norm.mean);
        let centre = match old_bias {
            Some(bias) => {
                let bias = self.widened(bias);
                Call::aten("sub", "Tensor").with("self", bias).with("other", mean)
            }
            None => Call::aten("neg", "default").with("self", mean),
        };
        let centre = self.insert("folded_centre", centre);
        let product = Call::aten("mul", "Tensor").with("self", centre).with("other", scale);
        let mut shift = self.insert("folded_bias", product);
        if let Some(bias) = norm.bias {
            let bias = self.widened(bias);
            shift = self
                .insert("folded_bias", Call::aten("add", "Tensor").with("self", bias).with("other", shift));
        }
        self.narrowed("folded_bias", shift, None)
    }

    /// `weight * scale`, a factor for each element of the first dimension.
    fn scaled(&mut self, weight: ValueId, scale: ValueId, meta: &TensorMeta) -> ValueId {
        let mut sizes = vec![1; meta.sizes.len()];
        sizes.first_mut().into_iter().for_each(|first| *first = -1);
        let column = Call::aten("reshape", "default").with("self", scale).with("shape", sizes.as_slice());
        let column = self.insert("folded_scale", column);
        let wide = self.widened(weight);
        let product = Call::aten("mul", "Tensor").with("self", wide).with("other", column);
        let made = TensorMeta { requires_grad: false, ..meta.clone() };
        if !is_narrow(self.dtype) {
            return self.rewrite.insert(self.at, "folded_weight", Some(made), product);
        }
        let product = self.insert("folded_weight", product);
        self.narrowed("folded_weight", product, Some(made))
    }

    fn widened(&mut self, value: ValueId) -> ValueId {
        if !is_narrow(self.dtype) {
            return value;
        }
        let dtype = Operand::ScalarType(ScalarType::Float);
        self.insert("folded_wide", Call::aten("to", "dtype").with("self", value).with("dtype", dtype))
    }

    fn narrowed(&mut self, name: &str, value: ValueId, meta: Option<TensorMeta>) -> ValueId {
        if !is_narrow(self.dtype) {
            return value;
        }
        let call =
            Call::aten("to", "dtype").with("self", value).with("dtype", Operand::ScalarType(self.dtype));
        self.rewrite.insert(self.at, name, meta, call)
    }
}
