//! Inputs and outputs by name.

use super::direction::Direction;
use super::error::pt2_error;
use super::guard::{guard, put, required, required_text};
use super::model::pt2_model;
use crate::Result;
use libc::c_char;

/// # Safety
/// `model` is NULL or a model that was not freed, `name` NULL or a string, `index` NULL or writable.
unsafe fn find(
    model: *const pt2_model,
    side: Direction,
    name: *const c_char,
    index: *mut usize,
) -> Result<()> {
    // SAFETY: the caller upholds the conditions under "Safety".
    unsafe {
        let interface = required(model, "model")?.loaded.interface();
        put(index, "index", side.find(interface, required_text(name, "name")?, "name")?)
    }
}

/// Finds an input by its name.
///
/// Accepted are the name in `pt2_port_info` and Triton's spellings. Names in `pt2_port_info` look
/// like `args[0]` or `kwargs["mask"]`. The quotes may be left out, and attributes may be written as
/// `.field` or `[field]`. Triton's spellings are `INPUT__0` for the first input, `ARGS[0]` and
/// `KWARGS[mask]`.
///
/// # Parameters
/// - `model`: The model.
/// - `name`: The name.
/// - `index` (out): Receives the index.
///
/// # Returns
/// NULL on success. On failure, an error owned by the caller, which lists all names;
/// `*index` stays unmodified.
///
/// # Ownership
/// All pointers are borrowed for the call.
///
/// # Thread safety
/// Thread-safe.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_input_index(
    model: *const pt2_model,
    name: *const c_char,
    index: *mut usize,
) -> *mut pt2_error {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    guard(|| unsafe { find(model, Direction::Input, name, index) })
}

/// Finds an output by its name.
///
/// Accepted are the name in `pt2_port_info` and Triton's spellings. Names in `pt2_port_info` look
/// like `result["logits"]`. The quotes may be left out, and attributes may be written as `.field`
/// or `[field]`. Triton's spellings are `OUTPUT__0` for the first output, and `RESULT[0][logits]`,
/// where a result that is not a sequence counts as a sequence of one.
///
/// # Parameters
/// - `model`: The model.
/// - `name`: The name.
/// - `index` (out): Receives the index.
///
/// # Returns
/// NULL on success. On failure, an error owned by the caller, which lists all names;
/// `*index` stays unmodified.
///
/// # Ownership
/// All pointers are borrowed for the call.
///
/// # Thread safety
/// Thread-safe.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_output_index(
    model: *const pt2_model,
    name: *const c_char,
    index: *mut usize,
) -> *mut pt2_error {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    guard(|| unsafe { find(model, Direction::Output, name, index) })
}
