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
    // SAFETY: the caller's promises.
    unsafe {
        let interface = required(model, "model")?.loaded.interface();
        put(index, "index", side.find(interface, required_text(name, "name")?, "name")?)
    }
}

/// The position of an input by its name.
///
/// Parameters: `name` is what `pt2_input_info` calls it, such as `args[0]` or `kwargs["mask"]`, with or without
/// quotes and with attributes as `.field` or `[field]`; or a spelling of Triton's: `INPUT__0` for the first input,
/// `ARGS[0]`, `KWARGS[mask]`. `index` receives the position.
///
/// Returns NULL, or an error that lists all names, and then `index` is untouched.
///
/// Ownership: all pointers are borrowed. Threads: any number at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_input_index(
    model: *const pt2_model,
    name: *const c_char,
    index: *mut usize,
) -> *mut pt2_error {
    // SAFETY: the caller's promises.
    guard(|| unsafe { find(model, Direction::Input, name, index) })
}

/// The position of an output by its name.
///
/// Parameters: `name` is what `pt2_output_info` calls it, such as `result["logits"]`, with or without quotes and
/// with attributes as `.field` or `[field]`; or a spelling of Triton's: `OUTPUT__0` for the first output,
/// `RESULT[0][logits]`, where a result that is no sequence counts as a sequence of one. `index` receives the
/// position.
///
/// Returns NULL, or an error that lists all names, and then `index` is untouched.
///
/// Ownership: all pointers are borrowed. Threads: any number at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_output_index(
    model: *const pt2_model,
    name: *const c_char,
    index: *mut usize,
) -> *mut pt2_error {
    // SAFETY: the caller's promises.
    guard(|| unsafe { find(model, Direction::Output, name, index) })
}
