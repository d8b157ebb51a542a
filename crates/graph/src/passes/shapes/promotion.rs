//! Element type of a result, by libtorch's rules of type promotion.

use super::super::sorted_names::is_listed;
use super::arguments::NodeArguments;
use super::element::ElementSize;
use crate::graph::Operand;

/// Returns the element of an `aten` operator's result, by libtorch's rules of type promotion.
///
/// Floating tensors of one dtype yield that dtype, also with numbers as operands. All other
/// operands may yield any number, or any dtype if one of them may be complex.
pub fn element_of_result(name: &str, arguments: &NodeArguments) -> Option<ElementSize> {
    if let Some(dtype) = arguments.dtype()? {
        return Some(ElementSize::of(dtype));
    }
    if is_listed(&BOOLS, name) {
        return Some(ElementSize::BOOL);
    }
    if name.starts_with("arg") {
        return Some(ElementSize::NUMBER);
    }
    if is_listed(&COPIES, name) {
        return arguments.first().map(|shape| shape.element);
    }
    let all = arguments.tensors()?;
    let numbers =
        arguments.node.inputs.iter().all(|argument| !matches!(argument.value, Operand::Complex(..)));
    let same = all.first().map(|first| first.element);
    Some(match same {
        _ if !numbers || all.iter().any(|shape| shape.element.bytes() > 8) => ElementSize::LARGEST,
        Some(same) if same.is_floating() && all.iter().all(|shape| shape.element == same) => same,
        _ => ElementSize::NUMBER,
    })
}

/// Operators whose results are bools.
const BOOLS: [&str; 14] = [
    "all",
    "any",
    "eq",
    "ge",
    "gt",
    "isinf",
    "isnan",
    "le",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "lt",
    "ne",
];

/// Operators whose results have the dtype of the first argument.
const COPIES: [&str; 15] = [
    "clone",
    "constant_pad_nd",
    "embedding",
    "flip",
    "full_like",
    "gather",
    "index_select",
    "masked_fill",
    "neg",
    "ones_like",
    "repeat",
    "roll",
    "tril",
    "triu",
    "zeros_like",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order_and_once() {
        for names in [&BOOLS[..], &COPIES] {
            assert!(names.is_sorted_by(|one, next| one < next));
        }
    }
}
