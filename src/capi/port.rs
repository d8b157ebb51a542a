//! Descriptions of a program's inputs and outputs.

use super::direction::Direction;
use super::error::pt2_error;
use super::guard::{guard, guard_or, required};
use super::model::pt2_model;
use super::port_text::{DimensionText, PortText};
use super::versioned_struct::{self, Versioned};
use crate::program::schema::ConstantValue;
use crate::program::{Port, PortKind};
use crate::{Error, Result};
use libc::c_char;
use std::mem::offset_of;
use std::ptr;

/// The kind of value that an input or output holds.
///
/// Since 0.1.0.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum pt2_kind {
    /// A tensor.
    /// Since 0.1.0.
    PT2_KIND_TENSOR = 1,
    /// An int, passed and returned as a 0-d tensor.
    /// Since 0.1.0.
    PT2_KIND_INT = 2,
    /// A float, passed and returned as a 0-d tensor.
    /// Since 0.1.0.
    PT2_KIND_FLOAT = 3,
    /// A bool, passed and returned as a 0-d tensor.
    /// Since 0.1.0.
    PT2_KIND_BOOL = 4,
    /// A string that was fixed at export, passed and returned as NULL.
    /// Since 0.1.0.
    PT2_KIND_STRING = 5,
    /// Python's None, passed and returned as NULL.
    /// Since 0.1.0.
    PT2_KIND_NONE = 6,
    /// An object that a caller cannot pass.
    /// Since 0.1.0.
    PT2_KIND_OBJECT = 7,
}

/// The description of one input or output.
///
/// Since 0.1.0.
#[repr(C)]
#[derive(Debug)]
pub struct pt2_port_info {
    /// `sizeof(pt2_port_info)`, set by the caller.
    /// Since 0.1.0.
    pub struct_size: usize,
    /// The path that a Python user would write, such as `args[0]` or `kwargs["mask"]`. Valid
    /// as long as the model lives.
    /// Since 0.1.0.
    pub name: *const c_char,
    /// The kind of value, a `pt2_kind`.
    /// Since 0.1.0.
    pub kind: i32,
    /// The element type of a tensor, a `pt2_dtype`. 0 for other kinds. It is 0, and `rank`
    /// is 0 too, for the outputs of a package without an exported program, which records neither.
    /// Since 0.1.0.
    pub dtype: i32,
    /// The number of dimensions of a tensor. 0 for other kinds.
    /// Since 0.1.0.
    pub rank: usize,
    /// The value of an input or output that was fixed at export, else NULL. A string is in
    /// UTF-8, with U+FFFD for each NUL in it. Any other kind is spelled as in Python, such as
    /// `None`, `True`, `-3` or `0.5`. Valid as long as the model lives.
    /// Since 0.1.0.
    pub constant: *const c_char,
}

/// Version 1 ends before `constant`.
const PORT_INFO_1: usize = offset_of!(pt2_port_info, constant);

// SAFETY: repr(C), begins with its size, and zero is valid for pointers and integers.
unsafe impl Versioned for pt2_port_info {
    const ARGUMENT: &'static str = "info";
    const SIZES: &'static [usize] = &[PORT_INFO_1, size_of::<Self>()];
}

/// The description of one dimension of a tensor input or output.
///
/// Since 0.1.0.
#[repr(C)]
#[derive(Debug)]
pub struct pt2_dimension {
    /// `sizeof(pt2_dimension)`, set by the caller.
    /// Since 0.1.0.
    pub struct_size: usize,
    /// The size in elements. -1 for a dynamic size.
    /// Since 0.1.0.
    pub size: i64,
    /// The symbol or expression of a dynamic size, such as `s77` or `2*s77`. NULL for a
    /// fixed size. Within one call, equal symbols have equal sizes. Valid as long as the model
    /// lives.
    /// Since 0.1.0.
    pub symbol: *const c_char,
    /// The smallest size that calls accept. -1 if it is unbounded.
    ///
    /// As in PyTorch, an exported lower bound of 1 or 2 is not enforced, and the value is 0
    /// (`_check_input_constraints_for_graph` in `torch/_export/utils.py`, PyTorch 2.11). Compiled
    /// packages enforce every lower bound.
    /// Since 0.1.0.
    pub min: i64,
    /// The largest size that calls accept. -1 if it is unbounded.
    /// Since 0.1.0.
    pub max: i64,
}

// SAFETY: as above.
unsafe impl Versioned for pt2_dimension {
    const ARGUMENT: &'static str = "dimension";
    const SIZES: &'static [usize] = &[size_of::<Self>()];
}

fn describe_port(port: &Port, text: &PortText) -> pt2_port_info {
    pt2_port_info {
        struct_size: 0,
        name: text.name.as_ptr(),
        kind: kind_of(&port.kind) as i32,
        dtype: text.dtype,
        rank: text.dimensions.len(),
        constant: text.constant.as_ref().map_or(ptr::null(), |text| text.as_ptr()),
    }
}

fn describe_dimension(text: &DimensionText) -> pt2_dimension {
    let symbol = text.symbol.as_ref().map_or(ptr::null(), |text| text.as_ptr());
    pt2_dimension { struct_size: 0, size: text.size, symbol, min: text.min, max: text.max }
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
    // SAFETY: the caller upholds the conditions under "Safety".
    unsafe {
        let loaded = &required(model, "model")?.loaded;
        let text = pick(side.texts(&loaded.texts), index, "index")?;
        let port = pick(side.ports(loaded.interface()), index, "index")?;
        versioned_struct::write(info, &describe_port(port, text))
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
    // SAFETY: the caller upholds the conditions under "Safety".
    unsafe {
        let port = pick(side.texts(&required(model, "model")?.loaded.texts), index, "index")?;
        let size = pick(&port.dimensions, position, "position")?;
        versioned_struct::write(dimension, &describe_dimension(size))
    }
}

/// Returns the number of inputs, with Python's nested arguments flattened.
///
/// # Parameters
/// - `model`: The model, or NULL.
///
/// # Returns
/// The number of inputs. 0 for NULL.
///
/// # Ownership
/// `model` is borrowed.
///
/// # Thread safety
/// Thread-safe.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_input_count(model: *const pt2_model) -> usize {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    guard_or(0, || unsafe { model.as_ref() }.map_or(0, |model| model.loaded.texts.inputs.len()))
}

/// Returns the number of outputs, with Python's nested results flattened.
///
/// # Parameters
/// - `model`: The model, or NULL.
///
/// # Returns
/// The number of outputs. 0 for NULL.
///
/// # Ownership
/// `model` is borrowed.
///
/// # Thread safety
/// Thread-safe.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_output_count(model: *const pt2_model) -> usize {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    guard_or(0, || unsafe { model.as_ref() }.map_or(0, |model| model.loaded.texts.outputs.len()))
}

/// Describes one input.
///
/// # Parameters
/// - `model`: The model.
/// - `index`: The index of the input, counted from 0.
/// - `info` (in, out): The description. The caller sets its `struct_size`, and that many bytes are
///   filled.
///
/// # Returns
/// NULL on success. On failure, an error owned by the caller; `*info` stays unmodified.
///
/// # Ownership
/// Both pointers are borrowed. Strings in `info` are valid as long as the model lives.
///
/// # Thread safety
/// Thread-safe.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_input_info(
    model: *const pt2_model,
    index: usize,
    info: *mut pt2_port_info,
) -> *mut pt2_error {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    guard(|| unsafe { port_info(model, Direction::Input, index, info) })
}

/// Describes one output.
///
/// # Parameters
/// - `model`: The model.
/// - `index`: The index of the output, counted from 0.
/// - `info` (in, out): The description. The caller sets its `struct_size`, and that many bytes are
///   filled.
///
/// # Returns
/// NULL on success. On failure, an error owned by the caller; `*info` stays unmodified.
///
/// # Ownership
/// Both pointers are borrowed. Strings in `info` are valid as long as the model lives.
///
/// # Thread safety
/// Thread-safe.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_output_info(
    model: *const pt2_model,
    index: usize,
    info: *mut pt2_port_info,
) -> *mut pt2_error {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    guard(|| unsafe { port_info(model, Direction::Output, index, info) })
}

/// Describes one dimension of an input.
///
/// # Parameters
/// - `model`: The model.
/// - `index`: The index of the input, counted from 0.
/// - `position`: The index of the dimension, counted from 0.
/// - `dimension` (in, out): The description. The caller sets its `struct_size`, and that many bytes
///   are filled.
///
/// # Returns
/// NULL on success. On failure, an error owned by the caller; `*dimension` stays
/// unmodified.
///
/// # Ownership
/// Both pointers are borrowed. Strings in `dimension` are valid as long as the model lives.
///
/// # Thread safety
/// Thread-safe.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_input_dimension(
    model: *const pt2_model,
    index: usize,
    position: usize,
    dimension: *mut pt2_dimension,
) -> *mut pt2_error {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    guard(|| unsafe { port_dimension(model, Direction::Input, index, position, dimension) })
}

/// Describes one dimension of an output.
///
/// # Parameters
/// - `model`: The model.
/// - `index`: The index of the output, counted from 0.
/// - `position`: The index of the dimension, counted from 0.
/// - `dimension` (in, out): The description. The caller sets its `struct_size`, and that many bytes
///   are filled.
///
/// # Returns
/// NULL on success. On failure, an error owned by the caller; `*dimension` stays
/// unmodified.
///
/// # Ownership
/// Both pointers are borrowed. Strings in `dimension` are valid as long as the model lives.
///
/// # Thread safety
/// Thread-safe.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_output_dimension(
    model: *const pt2_model,
    index: usize,
    position: usize,
    dimension: *mut pt2_dimension,
) -> *mut pt2_error {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    guard(|| unsafe { port_dimension(model, Direction::Output, index, position, dimension) })
}
