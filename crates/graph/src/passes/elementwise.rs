//! Pointwise operators, whose results have the strides of their arguments.

use super::sorted_names::is_listed;
use crate::graph::{Node, Target};

/// Returns true if the node calls a pointwise operator, in place or not.
pub fn is_elementwise(node: &Node) -> bool {
    let Target::Operator { namespace, name, .. } = &node.target else { return false };
    let name = name.strip_suffix('_').unwrap_or(name);
    namespace == "aten" && is_listed(&ELEMENTWISE, name)
}

/// Sorted. Results have the strides of the arguments on every device
/// (`TensorIteratorBase::compute_fast_setup_type` and `reorder_dimensions`,
/// aten/src/ATen/TensorIterator.cpp, 2.11).
const ELEMENTWISE: [&str; 36] = [
    "abs",
    "add",
    "bitwise_and",
    "bitwise_not",
    "bitwise_or",
    "ceil",
    "clamp",
    "clamp_max",
    "clamp_min",
    "cos",
    "div",
    "eq",
    "exp",
    "floor",
    "ge",
    "gelu",
    "gt",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "le",
    "leaky_relu",
    "log",
    "logical_not",
    "lt",
    "mul",
    "ne",
    "neg",
    "pow",
    "relu",
    "rsqrt",
    "sigmoid",
    "silu",
    "sqrt",
    "sub",
    "tanh",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order_and_once() {
        assert!(ELEMENTWISE.is_sorted_by(|one, next| one < next));
    }
}
