//! What a program takes and gives, one port after the other.

use super::direction::Direction;
use super::error::{c_text, pt2_error};
use super::guard::{guard, guard_or, required};
use super::model::pt2_model;
use super::versioned_struct::{self, Versioned};
use crate::program::schema::ConstantValue;
use crate::program::{Dim, Interface, Port, PortKind, Symbol};
use crate::{Error, Result};
use libc::c_char;
use std::ffi::CString;
use std::mem::offset_of;
use std::ptr;

/// What kind of value a port is.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum pt2_kind {
    /// A tensor.
    PT2_KIND_TENSOR = 1,
    /// An int; passed and returned as a 0-d tensor.
    PT2_KIND_INT = 2,
    /// A float; passed and returned as a 0-d tensor.
    PT2_KIND_FLOAT = 3,
    /// A bool; passed and returned as a 0-d tensor.
    PT2_KIND_BOOL = 4,
    /// A string that was fixed at export; passed and returned as NULL.
    PT2_KIND_STRING = 5,
    /// Python's None; passed and returned as NULL.
    PT2_KIND_NONE = 6,
    /// An object that no caller can pass.
    PT2_KIND_OBJECT = 7,
}

/// What a program takes or gives in one place.
#[repr(C)]
#[derive(Debug)]
pub struct pt2_port_info {
    /// `sizeof(pt2_port_info)`, set by the caller.
    pub struct_size: usize,
    /// The path a Python user would write, such as `args[0]` or `kwargs["mask"]`. Lives as long as the model.
    pub name: *const c_char,
    /// A `pt2_kind`.
    pub kind: i32,
    /// A `pt2_dtype` for a tensor, else 0. 0 for a tensor too where the archive does not tell, which is so for the
    /// outputs of compiled code without its program beside it; then `rank` is 0 as well.
    pub dtype: i32,
    /// How many dimensions a tensor has, else 0.
    pub rank: usize,
    /// The value of a port that was fixed at export, else NULL: a string as it is, in UTF-8, with U+FFFD for a NUL
    /// in it; any other kind as Python spells it, such as `None`, `True`, `-3` or `0.5`. Lives as long as the model.
    pub constant: *const c_char,
}

/// Version 1 ends before `constant`.
const PORT_INFO_1: usize = offset_of!(pt2_port_info, constant);

// SAFETY: repr(C), begins with its size, and zero is valid for pointers and integers.
unsafe impl Versioned for pt2_port_info {
    const ARGUMENT: &'static str = "info";
    const SIZES: &'static [usize] = &[PORT_INFO_1, size_of::<Self>()];
}

/// One dimension of a tensor port.
#[repr(C)]
#[derive(Debug)]
pub struct pt2_dimension {
    /// `sizeof(pt2_dimension)`, set by the caller.
    pub struct_size: usize,
    /// The size in elements, or -1 where it varies.
    pub size: i64,
    /// The symbol or expression of a size that varies, such as `s77` or `2*s77`; NULL for a fixed size. Ports
    /// with the same symbol have the same size in one call. Lives as long as the model.
    pub symbol: *const c_char,
    /// The smallest size that calls accept, or -1 where it is not bounded. As in PyTorch, an exported lower bound
    /// of 1 or 2 is not enforced and 0 stands here. Compiled packages enforce every lower bound.
    pub min: i64,
    /// The largest size that calls accept, or -1 where it is not bounded.
    pub max: i64,
}

// SAFETY: as above.
unsafe impl Versioned for pt2_dimension {
    const ARGUMENT: &'static str = "dimension";
    const SIZES: &'static [usize] = &[size_of::<Self>()];
}

/// A port with its texts in C's form.
#[derive(Debug)]
pub(super) struct PortText {
    name: CString,
    kind: pt2_kind,
    dtype: i32,
    dimensions: Vec<DimensionText>,
    constant: Option<CString>,
}

#[derive(Debug)]
struct DimensionText {
    size: i64,
    symbol: Option<CString>,
    min: i64,
    max: i64,
}

impl PortText {
    pub(super) fn new(port: &Port, interface: &Interface) -> PortText {
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
        PortText { name: c_text(&port.name), kind: kind_of(&port.kind), dtype, dimensions, constant }
    }

    fn info(&self) -> pt2_port_info {
        pt2_port_info {
            struct_size: 0,
            name: self.name.as_ptr(),
            kind: self.kind as i32,
            dtype: self.dtype,
            rank: self.dimensions.len(),
            constant: self.constant.as_ref().map_or(ptr::null(), |text| text.as_ptr()),
        }
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

    fn info(&self) -> pt2_dimension {
        let symbol = self.symbol.as_ref().map_or(ptr::null(), |text| text.as_ptr());
        pt2_dimension { struct_size: 0, size: self.size, symbol, min: self.min, max: self.max }
    }
}

fn kind_of(kind: &PortKind) -> pt2_kind {
    use pt2_kind::*;
    match kind {
        PortKind::Tensor(_) | PortKind::Unknown => PT2_KIND_TENSOR,
        PortKind::Int(_) | PortKind::Constant(ConstantValue::Int(_)) => PT2_KIND_INT,
        PortKind::Float(_) | PortKind::Constant(ConstantValue::Float(_)) => PT2_KIND_FLOAT,
        PortKind::Bool(_) | PortKind::Constant(ConstantValue::Bool(_)) => PT2_KIND_BOOL,
        PortKind::Constant(ConstantValue::String(_)) => PT2_KIND_STRING,
        PortKind::Constant(ConstantValue::None) => PT2_KIND_NONE,
        _ => PT2_KIND_OBJECT,
    }
}

pub(super) fn pick<'a, T>(all: &'a [T], index: usize, argument: &'static str) -> Result<&'a T> {
    let reason = || format!("{index} is out of range, there are {}", all.len());
    all.get(index).ok_or_else(|| Error::Argument { argument, reason: reason() })
}

/// # Safety
/// `model` is NULL or a model that was not freed, `info` is NULL or as its `struct_size` says.
unsafe fn port_info(
    model: *const pt2_model,
    side: Direction,
    index: usize,
    info: *mut pt2_port_info,
) -> Result<()> {
    // SAFETY: the caller's promises.
    unsafe {
        let port = pick(side.texts(&required(model, "model")?.loaded.texts), index, "index")?;
        versioned_struct::write(info, &port.info())
    }
}

/// # Safety
/// `model` is NULL or a model that was not freed, `dimension` is NULL or as its `struct_size` says.
unsafe fn port_dimension(
    model: *const pt2_model,
    side: Direction,
    index: usize,
    position: usize,
    dimension: *mut pt2_dimension,
) -> Result<()> {
    // SAFETY: the caller's promises.
    unsafe {
        let port = pick(side.texts(&required(model, "model")?.loaded.texts), index, "index")?;
        versioned_struct::write(dimension, &pick(&port.dimensions, position, "position")?.info())
    }
}

/// How many inputs the program takes, with Python's nested arguments flattened.
///
/// Returns 0 for NULL.
///
/// Ownership: `model` is borrowed. Threads: any number at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_input_count(model: *const pt2_model) -> usize {
    // SAFETY: the caller's promise.
    guard_or(0, || unsafe { model.as_ref() }.map_or(0, |model| model.loaded.texts.inputs.len()))
}

/// How many outputs the program gives, with Python's nested results flattened.
///
/// Returns 0 for NULL.
///
/// Ownership: `model` is borrowed. Threads: any number at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_output_count(model: *const pt2_model) -> usize {
    // SAFETY: the caller's promise.
    guard_or(0, || unsafe { model.as_ref() }.map_or(0, |model| model.loaded.texts.outputs.len()))
}

/// Describes one input.
///
/// Parameters: `index` counts inputs from 0. `info` is filled as far as its `struct_size` says, which the caller
/// sets first.
///
/// Returns NULL, or an error, and then `info` is untouched.
///
/// Ownership: both pointers are borrowed; texts in `info` live as long as the model. Threads: any number at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_input_info(
    model: *const pt2_model,
    index: usize,
    info: *mut pt2_port_info,
) -> *mut pt2_error {
    // SAFETY: the caller's promises.
    guard(|| unsafe { port_info(model, Direction::Input, index, info) })
}

/// Describes one output.
///
/// Parameters: `index` counts outputs from 0. `info` is filled as far as its `struct_size` says, which the caller
/// sets first.
///
/// Returns NULL, or an error, and then `info` is untouched.
///
/// Ownership: both pointers are borrowed; texts in `info` live as long as the model. Threads: any number at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_output_info(
    model: *const pt2_model,
    index: usize,
    info: *mut pt2_port_info,
) -> *mut pt2_error {
    // SAFETY: the caller's promises.
    guard(|| unsafe { port_info(model, Direction::Output, index, info) })
}

/// Describes one dimension of an input.
///
/// Parameters: `index` counts inputs from 0 and `position` the dimensions of that input. `dimension` is filled as
/// far as its `struct_size` says, which the caller sets first.
///
/// Returns NULL, or an error, and then `dimension` is untouched.
///
/// Ownership: both pointers are borrowed; texts in `dimension` live as long as the model. Threads: any number at
/// once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_input_dimension(
    model: *const pt2_model,
    index: usize,
    position: usize,
    dimension: *mut pt2_dimension,
) -> *mut pt2_error {
    // SAFETY: the caller's promises.
    guard(|| unsafe { port_dimension(model, Direction::Input, index, position, dimension) })
}

/// Describes one dimension of an output.
///
/// Parameters: `index` counts outputs from 0 and `position` the dimensions of that output. `dimension` is filled
/// as far as its `struct_size` says, which the caller sets first.
///
/// Returns NULL, or an error, and then `dimension` is untouched.
///
/// Ownership: both pointers are borrowed; texts in `dimension` live as long as the model. Threads: any number at
/// once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_output_dimension(
    model: *const pt2_model,
    index: usize,
    position: usize,
    dimension: *mut pt2_dimension,
) -> *mut pt2_error {
    // SAFETY: the caller's promises.
    guard(|| unsafe { port_dimension(model, Direction::Output, index, position, dimension) })
}
