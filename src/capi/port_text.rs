//! Descriptions of inputs and outputs as C strings and numbers.

use super::error::c_text;
use crate::program::schema::ConstantValue;
use crate::program::{Dim, Interface, Port, PortKind, Symbol};
use std::ffi::CString;

/// Description of an input or output as C strings and numbers.
#[derive(Debug)]
pub(super) struct PortText {
    pub name: CString,
    pub dtype: i32,
    pub dimensions: Vec<DimensionText>,
    pub constant: Option<CString>,
}

/// Size of one dimension, and the name of its symbol.
#[derive(Debug)]
pub(super) struct DimensionText {
    pub size: i64,
    pub symbol: Option<CString>,
    pub min: i64,
    pub max: i64,
}

impl PortText {
    pub fn new(port: &Port, interface: &Interface) -> PortText {
        let (dtype, dimensions) = match &port.kind {
            PortKind::Tensor(tensor) => {
                let sizes = tensor.sizes.iter().map(|size| DimensionText::new(size, interface)).collect();
                (tensor.dtype as i32, sizes)
            }
            _ => (0, Vec::new()),
        };
        let constant = match &port.kind {
            PortKind::Constant(ConstantValue::String(text)) => Some(c_text(text)),
            PortKind::Constant(value) => Some(c_text(&value.to_string())),
            _ => None,
        };
        PortText { name: c_text(&port.name), dtype, dimensions, constant }
    }
}

impl DimensionText {
    fn new(size: &Dim, interface: &Interface) -> DimensionText {
        match size {
            Dim::Fixed(size) => DimensionText { size: *size, symbol: None, min: *size, max: *size },
            Dim::Expr(expression) => {
                let range = expression.as_symbol().and_then(|id| interface.symbols.get(id.index()));
                let bound = |side: fn(&Symbol) -> Option<i64>| range.and_then(side).unwrap_or(-1);
                let symbol = Some(c_text(&expression.display(&interface.names).to_string()));
                DimensionText {
                    size: -1,
                    symbol,
                    min: bound(|range| range.min),
                    max: bound(|range| range.max),
                }
            }
        }
    }
}
