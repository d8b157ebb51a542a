//! Descriptions of a program's weights.

use super::error::pt2_error;
use super::guard::{guard, guard_or, required};
use super::model::pt2_model;
use super::parameter_text::ParameterText;
use super::port::pick;
use super::versioned_struct::{self, Versioned};
use crate::model::ParameterKind;
use libc::c_char;

/// The role of a weight in the exported module.
///
/// Since 0.1.0.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum pt2_parameter_kind {
    /// A parameter.
    /// Since 0.1.0.
    PT2_PARAMETER = 1,
    /// A buffer in the state dict.
    /// Since 0.1.0.
    PT2_BUFFER = 2,
    /// A buffer that is not in the state dict (non-persistent).
    /// Since 0.1.0.
    PT2_TEMPORARY_BUFFER = 3,
    /// A tensor that was a constant in the Python code.
    /// Since 0.1.0.
    PT2_CONSTANT = 4,
}

/// The description of one weight.
///
/// Since 0.1.0.
#[repr(C)]
#[derive(Debug)]
pub struct pt2_parameter {
    /// `sizeof(pt2_parameter)`, set by the caller.
    /// Since 0.1.0.
    pub struct_size: usize,
    /// The fully qualified name, such as `layers.0.weight`. Valid as long as the model
    /// lives.
    /// Since 0.1.0.
    pub name: *const c_char,
    /// The role of the weight, a `pt2_parameter_kind`.
    /// Since 0.1.0.
    pub kind: i32,
    /// The element type, a `pt2_dtype`.
    /// Since 0.1.0.
    pub dtype: i32,
    /// The number of dimensions.
    /// Since 0.1.0.
    pub rank: usize,
    /// `rank` sizes. Valid as long as the model lives.
    /// Since 0.1.0.
    pub sizes: *const i64,
    /// `rank` strides, counted in elements. Valid as long as the model lives.
    /// Since 0.1.0.
    pub strides: *const i64,
}

// SAFETY: repr(C), begins with its size, and zero is valid for pointers and integers.
unsafe impl Versioned for pt2_parameter {
    const ARGUMENT: &'static str = "parameter";
    const SIZES: &'static [usize] = &[size_of::<Self>()];
}

fn describe_parameter(kind: ParameterKind, text: &ParameterText) -> pt2_parameter {
    pt2_parameter {
        struct_size: 0,
        name: text.name.as_ptr(),
        kind: kind_of(kind) as i32,
        dtype: text.dtype,
        rank: text.sizes.len(),
        sizes: text.sizes.as_ptr(),
        strides: text.strides.as_ptr(),
    }
}

fn kind_of(kind: ParameterKind) -> pt2_parameter_kind {
    use pt2_parameter_kind::*;
    match kind {
        ParameterKind::Parameter => PT2_PARAMETER,
        ParameterKind::Buffer => PT2_BUFFER,
        ParameterKind::TemporaryBuffer => PT2_TEMPORARY_BUFFER,
        ParameterKind::Constant => PT2_CONSTANT,
    }
}

/// Returns the number of weights of a program.
///
/// Weights are parameters, buffers and tensors that were constants.
///
/// # Parameters
/// - `model`: The model, or NULL.
///
/// # Returns
/// The number of weights. 0 for NULL.
///
/// # Ownership
/// `model` is borrowed.
///
/// # Thread safety
/// Thread-safe.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_parameter_count(model: *const pt2_model) -> usize {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    guard_or(0, || unsafe { model.as_ref() }.map_or(0, |model| model.loaded.texts.parameters.len()))
}

/// Describes one weight, as the archive stores it.
///
/// # Parameters
/// - `model`: The model.
/// - `index`: The index of the weight, counted from 0 in the program's order.
/// - `parameter` (in, out): The description. The caller sets its `struct_size`, and that many bytes
///   are filled.
///
/// # Returns
/// NULL on success. On failure, an error owned by the caller; `*parameter` stays
/// unmodified.
///
/// # Ownership
/// Both pointers are borrowed. Strings and arrays in `parameter` are valid as long as the model
/// lives.
///
/// # Thread safety
/// Thread-safe.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_parameter_info(
    model: *const pt2_model,
    index: usize,
    parameter: *mut pt2_parameter,
) -> *mut pt2_error {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    guard(|| unsafe {
        let loaded = &required(model, "model")?.loaded;
        let text = pick(&loaded.texts.parameters, index, "index")?;
        let weight = pick(loaded.model.parameters(), index, "index")?;
        versioned_struct::write(parameter, &describe_parameter(weight.kind, text))
    })
}
