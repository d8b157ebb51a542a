//! Shape inference for constant folding: sizes of results that depend on weights only.
//!
//! Sizes are derived from the stored tensors and from the arguments of the nodes. The archive's
//! metadata are claims and are not used. The result of an operator without a rule here has an
//! unknown size. `tests/operators/shape_inference.rs` compares every rule with libtorch.

mod arguments;
mod creation;
mod element;
mod matmul;
mod promotion;
mod pt2_ops;
mod shape;
mod views;

use super::op_effects::OpEffect;
use super::pt2_ops::POINTWISE;
use super::sorted_names::is_listed;
use crate::graph::{Node, Output, Target, ValueId};
use arguments::NodeArguments;
use element::ElementSize;
use promotion::element_of_result;
use pt2_format::weights::extent::MAX_RANK;
pub use shape::Shape;
use shape::wrapped;

/// Inferred results and costs of a node.
#[derive(Debug)]
pub struct Inferred {
    /// Shapes of the values that the node defines, in order.
    pub shapes: Vec<Shape>,
    /// Maximum number of elements that the node reads and writes; for matrix products the number of
    /// multiplications if that is larger.
    pub work: i64,
    /// Maximum size of the memory that the node allocates, in bytes.
    pub bytes: i64,
}

/// Infers the results of a node from the shapes that it reads. None if there is no rule, or if a
/// size depends on values.
pub fn infer<'a>(node: &'a Node, shape: &'a dyn Fn(ValueId) -> Option<&'a Shape>) -> Option<Inferred> {
    let arguments = NodeArguments { node, shape };
    let shapes = shapes(&arguments)?;
    let results: Vec<i64> = shapes.iter().map(Shape::elements).collect::<Option<_>>()?;
    let written = results.iter().try_fold(0i64, |sum, count| sum.checked_add(*count))?;
    let bytes = shapes.iter().map(Shape::bytes).try_fold(0i64, |sum, bytes| sum.checked_add(bytes?))?;
    let read = arguments.tensors()?.iter().try_fold(0i64, |sum, read| sum.checked_add(read.elements()?))?;
    let matches = shapes.len() == node.defined().count()
        && node.outputs.iter().all(|output| *output != Output::None)
        && shapes.iter().all(|shape| shape.sizes.len() <= MAX_RANK);
    matches.then_some(())?;
    if views::never_copies(node) || pt2_ops::only_holds(node) {
        return Some(Inferred { shapes, work: 0, bytes: 0 });
    }
    let multiplied = matmul::multiplied(&arguments, written)?;
    let work = written.checked_add(read)?.max(multiplied);
    Some(Inferred { shapes, work, bytes })
}

fn shapes(arguments: &NodeArguments) -> Option<Vec<Shape>> {
    let one = |shape: Shape| vec![shape];
    match &arguments.node.target {
        Target::Operator { namespace, name, .. } if namespace == "aten" => {
            if OpEffect::of(arguments.node) == OpEffect::View {
                return views::shapes(name, arguments);
            }
            let sizes = sizes(name, arguments)?;
            Some(one(Shape { sizes, element: element_of_result(name, arguments)? }))
        }
        Target::Operator { namespace, name, .. } if namespace == "pt2" => pt2_ops::shapes(name, arguments),
        Target::HigherOrder(name) if name == POINTWISE => {
            Some(one(Shape { sizes: arguments.broadcast()?, element: ElementSize::FLOAT }))
        }
        _ => None,
    }
}

fn sizes(name: &str, arguments: &NodeArguments) -> Option<Vec<i64>> {
    match name {
        _ if is_listed(&LIKE, name) => arguments.first().map(|shape| shape.sizes.clone()),
        _ if is_listed(&BROADCAST, name) => arguments.broadcast(),
        _ if is_listed(&REDUCE, name) => reduced(arguments),
        _ => matmul::sizes(name, arguments).or_else(|| creation::sizes(name, arguments)),
    }
}

/// Returns the sizes without the reduced dimensions.
fn reduced(arguments: &NodeArguments) -> Option<Vec<i64>> {
    let sizes = &arguments.first()?.sizes;
    let keep = arguments.flag("keepdim", false)?;
    let gone = match arguments.dims("dim")? {
        None => (0..sizes.len()).collect(),
        Some(dims) if dims.is_empty() => return None,
        Some(dims) => dims.iter().map(|dim| wrapped(*dim, sizes.len())).collect::<Option<Vec<usize>>>()?,
    };
    let kept = sizes
        .iter()
        .enumerate()
        .filter_map(|(at, size)| if gone.contains(&at) { keep.then_some(1) } else { Some(*size) });
    Some(kept.collect())
}

/// Operators whose results have the sizes of the first argument.
const LIKE: [&str; 68] = [
    "_log_softmax",
    "_softmax",
    "abs",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "bitwise_not",
    "ceil",
    "celu",
    "clone",
    "cos",
    "cosh",
    "cumsum",
    "elu",
    "erf",
    "erfc",
    "exp",
    "exp2",
    "expm1",
    "flip",
    "floor",
    "full_like",
    "gelu",
    "group_norm",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "isinf",
    "isnan",
    "layer_norm",
    "leaky_relu",
    "log",
    "log10",
    "log1p",
    "log2",
    "log_softmax",
    "logical_not",
    "mish",
    "neg",
    "ones_like",
    "prelu",
    "reciprocal",
    "relu",
    "relu6",
    "rms_norm",
    "roll",
    "round",
    "rsqrt",
    "selu",
    "sgn",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "sinh",
    "softmax",
    "softplus",
    "sqrt",
    "square",
    "tan",
    "tanh",
    "threshold",
    "tril",
    "triu",
    "trunc",
];

/// Operators whose results have the broadcast sizes of all arguments.
const BROADCAST: [&str; 34] = [
    "add",
    "addcdiv",
    "addcmul",
    "atan2",
    "bitwise_and",
    "bitwise_left_shift",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "clamp",
    "clamp_max",
    "clamp_min",
    "div",
    "eq",
    "floor_divide",
    "fmod",
    "ge",
    "gt",
    "le",
    "lerp",
    "logical_and",
    "logical_or",
    "logical_xor",
    "lt",
    "masked_fill",
    "maximum",
    "minimum",
    "mul",
    "ne",
    "pow",
    "remainder",
    "rsub",
    "sub",
    "where",
];

/// Operators that reduce dimensions of the first argument.
const REDUCE: [&str; 12] =
    ["all", "amax", "amin", "any", "argmax", "argmin", "logsumexp", "mean", "prod", "std", "sum", "var"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order_and_once() {
        for names in [&LIKE[..], &BROADCAST, &REDUCE] {
            assert!(names.is_sorted_by(|one, next| one < next));
        }
    }
}
