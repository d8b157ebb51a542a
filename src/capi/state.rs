//! What a program writes to: a state for each model, copied and put back.

use super::error::pt2_error;
use super::guard::{guard, put, required, usable};
use super::model::pt2_model;
use super::options::{pt2_run_options, run_options};
use crate::reserve::check;
use std::sync::Arc;

/// Makes a model of the same program with a state of its own, such as one for each conversation or each thread.
///
/// The state is all that the program writes to: buffers, parameters and constants, and whatever shares a storage
/// with them. It begins as that of `model` is when this is called, and from then on neither sees what the other
/// writes. Everything else is shared memory, on the CPU and on CUDA: the clone of a program that writes to nothing
/// costs nothing. Weights that were set (`pt2_swap_parameters`) are shared too, and later neither sees what the
/// other is set to. A model and its clones are equals; each may be run, cloned and freed in any order.
///
/// What compiled code writes to is told by the program beside it; where there is none, clones have copies of all but its
/// parameters. While a clone of compiled code is made, its weights are in memory once more.
///
/// Parameters: `clone` receives the handle.
///
/// Returns NULL, or an error, and then `clone` is untouched.
///
/// Ownership: `model` is borrowed. The clone belongs to the caller, who frees it with `pt2_free`. Outputs that share
/// a weight's memory share it with all clones, unless the program writes to that weight.
///
/// Threads: any number at once; calls of `model` that were made before are seen whole, calls made later not at all.
/// On CUDA this waits for the device.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_clone(model: *const pt2_model, clone: *mut *mut pt2_model) -> *mut pt2_error {
    // SAFETY: the caller's promises.
    guard(|| unsafe {
        let loaded = Arc::clone(&required(model, "model")?.loaded);
        usable(clone, "clone")?;
        let made = loaded.model.try_clone()?;
        check()?;
        put(clone, "clone", pt2_model::give(made, Arc::clone(&loaded.texts)))
    })
}

/// Puts the model's state, as `pt2_clone` describes it, back to what its weights are: what the
/// archive holds or, where a weight was set, what it was set to.
///
/// Parameters: `options` may be NULL. Clones keep their states; inputs that the program wrote to keep their content.
///
/// Returns NULL, or an error.
///
/// Ownership: all pointers are borrowed. Outputs that share memory with the state change with it. On CUDA the work
/// is queued on the stream, as that of a call is.
///
/// Threads: any number at once; calls of the same model and resets take turns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_reset_state(
    model: *const pt2_model,
    options: *const pt2_run_options,
) -> *mut pt2_error {
    // SAFETY: the caller's promises.
    guard(|| unsafe {
        let loaded = Arc::clone(&required(model, "model")?.loaded);
        loaded.model.reset_state(&run_options(options)?)
    })
}
