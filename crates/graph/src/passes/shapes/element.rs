//! Element size and type of a result.

use super::arguments::NodeArguments;
use super::is_listed;
use crate::graph::Operand;
use crate::program::schema::ScalarType;

/// Maximum size of an element in bytes. `floating` is true if its dtype is known to be a floating
/// one of that size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ElementSize {
    bytes: i64,
    floating: bool,
}

impl ElementSize {
    /// Float32.
    pub const FLOAT: ElementSize = ElementSize { bytes: 4, floating: true };
    /// An int64, or any number that is not complex.
    const NUMBER: ElementSize = ElementSize { bytes: 8, floating: false };
    const BOOL: ElementSize = ElementSize { bytes: 1, floating: false };
    /// Any dtype.
    const LARGEST: ElementSize = ElementSize { bytes: 16, floating: false };

    /// Returns the element of a dtype.
    pub fn of(dtype: ScalarType) -> ElementSize {
        use ScalarType::{BFloat16, Double, Float, Half};
        let floating = matches!(dtype, Half | BFloat16 | Float | Double);
        ElementSize { bytes: i64::try_from(dtype.size_in_bytes()).unwrap_or(16), floating }
    }

    /// Returns the maximum size in bytes.
    pub fn bytes(self) -> i64 {
        self.bytes
    }

    /// Returns the element of an `aten` operator's result, by libtorch's rules of type promotion.
    ///
    /// Floating tensors of one dtype yield that dtype, also with numbers as operands. All other
    /// operands may yield any number, or any dtype if one of them may be complex.
    pub fn of_result(name: &str, arguments: &NodeArguments) -> Option<ElementSize> {
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
            _ if !numbers || all.iter().any(|shape| shape.element.bytes > 8) => ElementSize::LARGEST,
            Some(same) if same.floating && all.iter().all(|shape| shape.element == same) => same,
            _ => ElementSize::NUMBER,
        })
    }
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
