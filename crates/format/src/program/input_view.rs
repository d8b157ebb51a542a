//! Input view: what the input check sees of a caller's input, and its name in errors.

use super::interface::PortKind;
use super::schema::{ConstantValue, ScalarType};

/// What a caller gives for one input.
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
    /// The value the program was exported with. Only a constant has one.
    Exported,
}

/// Whether the caller gave the constant that the program was exported with.
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

/// What an input should be.
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

/// What the caller gave instead.
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
