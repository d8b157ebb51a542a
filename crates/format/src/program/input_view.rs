//! Input view: a call's input as the input check sees it, and its description in errors.

use super::interface::PortKind;
use super::schema::{ConstantValue, ScalarType};

/// Value of one input of a call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum InputView<'a> {
    /// Python's None.
    None,
    /// A tensor.
    Tensor {
        /// Its element type.
        dtype: ScalarType,
        /// Its sizes.
        sizes: &'a [i64],
    },
    /// An int.
    Int(i64),
    /// A float.
    Float(f64),
    /// A bool.
    Bool(bool),
    /// A string.
    String(&'a str),
    /// An object of a registered class.
    Object,
    /// The value with which the program was exported. Only constants have one.
    Exported,
}

/// Returns true if the input is the constant with which the program was exported.
pub(super) fn is_constant(constant: &ConstantValue, view: &InputView) -> bool {
    match (constant, view) {
        (ConstantValue::None, InputView::None) => true,
        (ConstantValue::Int(constant), InputView::Int(value)) => constant == value,
        (ConstantValue::Bool(constant), InputView::Bool(value)) => constant == value,
        (ConstantValue::String(constant), InputView::String(value)) => constant == value,
        (ConstantValue::Float(constant), InputView::Float(value)) => {
            constant == value || (constant.is_nan() && value.is_nan())
        }
        _ => false,
    }
}

/// Describes the expected kind of input.
pub(super) fn kind_name(kind: &PortKind) -> String {
    match kind {
        PortKind::Tensor(tensor) => format!("a {} tensor", tensor.dtype),
        PortKind::Int(_) => "an int".into(),
        PortKind::Float(_) => "a float".into(),
        PortKind::Bool(_) => "a bool".into(),
        PortKind::Constant(ConstantValue::None) => "None".into(),
        PortKind::Constant(value) => format!("the constant {value}"),
        PortKind::Object { class } => format!("an object of {class}"),
        PortKind::Unknown => "a tensor".into(),
    }
}

/// Describes the actual input.
pub(super) fn view_name(view: &InputView) -> String {
    match view {
        InputView::None => "None".into(),
        InputView::Tensor { dtype, .. } => format!("a {dtype} tensor"),
        InputView::Int(value) => format!("the int {value}"),
        InputView::Float(value) => format!("the float {value:?}"),
        InputView::Bool(true) => "the bool True".into(),
        InputView::Bool(false) => "the bool False".into(),
        InputView::String(value) => format!("the string {value:?}"),
        InputView::Object => "an object".into(),
        InputView::Exported => "nothing".into(),
    }
}
