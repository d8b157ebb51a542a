//! What weights a program takes.

use super::error::{c_text, pt2_error};
use super::guard::{guard, guard_or, required};
use super::model::pt2_model;
use super::port::pick;
use super::versioned_struct::{self, Versioned};
use crate::model::{Parameter, ParameterKind};
use libc::c_char;
use std::ffi::CString;

/// What a weight was in the exported module.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum pt2_parameter_kind {
    /// A parameter.
    PT2_PARAMETER = 1,
    /// A buffer of the state dict.
    PT2_BUFFER = 2,
    /// A buffer that is not in the state dict.
    PT2_TEMPORARY_BUFFER = 3,
    /// A tensor that was a constant of the Python code.
    PT2_CONSTANT = 4,
}

/// A weight that a program takes.
#[repr(C)]
#[derive(Debug)]
pub struct pt2_parameter {
    /// `sizeof(pt2_parameter)`, set by the caller.
    pub struct_size: usize,
    /// The fully qualified name, such as `layers.0.weight`. Lives as long as the model.
    pub name: *const c_char,
    /// A `pt2_parameter_kind`.
    pub kind: i32,
    /// A `pt2_dtype`.
    pub dtype: i32,
    /// How many dimensions it has.
    pub rank: usize,
    /// Its sizes, as many as its rank. Lives as long as the model.
    pub sizes: *const i64,
    /// Its strides, counted in elements, as many as its rank. Lives as long as the model.
    pub strides: *const i64,
}

// SAFETY: repr(C), begins with its size, and zero is valid for pointers and integers.
unsafe impl Versioned for pt2_parameter {
    const ARGUMENT: &'static str = "parameter";
    const SIZES: &'static [usize] = &[size_of::<Self>()];
}

/// A weight with its name in C's form.
#[derive(Debug)]
pub(super) struct ParameterText {
    name: CString,
    kind: pt2_parameter_kind,
    dtype: i32,
    sizes: Vec<i64>,
    strides: Vec<i64>,
}

impl ParameterText {
    pub(super) fn new(parameter: &Parameter) -> ParameterText {
        ParameterText {
            name: c_text(&parameter.name),
            kind: kind_of(parameter.kind),
            dtype: parameter.dtype as i32,
            sizes: parameter.sizes.clone(),
            strides: parameter.strides.clone(),
        }
    }

    fn info(&self) -> pt2_parameter {
        pt2_parameter {
            struct_size: 0,
            name: self.name.as_ptr(),
            kind: self.kind as i32,
            dtype: self.dtype,
            rank: self.sizes.len(),
            sizes: self.sizes.as_ptr(),
            strides: self.strides.as_ptr(),
        }
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

/// How many weights the program takes: parameters, buffers and tensors that were constants.
///
/// Returns 0 for NULL.
///
/// Ownership: `model` is borrowed. Threads: any number at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_parameter_count(model: *const pt2_model) -> usize {
    // SAFETY: the caller's promise.
    guard_or(0, || unsafe { model.as_ref() }.map_or(0, |model| model.loaded.texts.parameters.len()))
}

/// Describes one weight, as the archive stores it.
///
/// Parameters: `index` counts weights from 0, in the program's order. `parameter` is filled as far as its
/// `struct_size` says, which the caller sets first.
///
/// Returns NULL, or an error, and then `parameter` is untouched.
///
/// Ownership: both pointers are borrowed; texts and arrays in `parameter` live as long as the model. Threads: any
/// number at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_parameter_info(
    model: *const pt2_model,
    index: usize,
    parameter: *mut pt2_parameter,
) -> *mut pt2_error {
    // SAFETY: the caller's promises.
    guard(|| unsafe {
        let texts = &required(model, "model")?.loaded.texts;
        versioned_struct::write(parameter, &pick(&texts.parameters, index, "index")?.info())
    })
}
