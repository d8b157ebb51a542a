//! The state of a model: clones and resets.

use super::error::pt2_error;
use super::guard::{guard, put, required, usable};
use super::model::pt2_model;
use super::options::{pt2_run_options, run_options};
use crate::reserve::check;
use std::sync::Arc;

/// Clones a model: the same program and weights with a state of its own.
///
/// Use a clone for each conversation or each thread, for example.
///
/// The state comprises all values that the program writes to: buffers, parameters and constants,
/// and all that share a storage with them. The state of the clone starts as the state of `model` at
/// the time of the call. Afterwards neither sees the writes of the other. Everything else is shared
/// memory, on the CPU and on CUDA. The clone of a program without state costs nothing.
///
/// Weights that were set (pt2_swap_parameters()) are shared too. Weights that are set later affect
/// only one of the two. A model and its clones are equals: each may be run, cloned and freed in any
/// order.
///
/// The state of compiled code is derived from the exported program in the package. In a package
/// without one, clones have copies of all weights except parameters. While compiled code is cloned,
/// its weights are in memory once more.
///
/// # Parameters
/// - `model`: The model.
/// - `clone` (out): Receives the clone.
///
/// # Returns
/// NULL on success. On failure, an error owned by the caller; `*clone` stays unmodified.
///
/// # Ownership
/// `model` is borrowed. The caller owns the clone and frees it with pt2_free(). Outputs that share
/// the memory of a weight share it with all clones, unless the program writes to that weight.
///
/// # Thread safety
/// Thread-safe. The clone sees all effects of calls of `model` that were made earlier, and none of
/// later calls. On CUDA, the call waits for the device.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_clone(model: *const pt2_model, clone: *mut *mut pt2_model) -> *mut pt2_error {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    guard(|| unsafe {
        let loaded = Arc::clone(&required(model, "model")?.loaded);
        usable(clone, "clone")?;
        let made = loaded.model.try_clone()?;
        check()?;
        put(clone, "clone", pt2_model::give(made, Arc::clone(&loaded.texts)))
    })
}

/// Resets the state of a model to its weights.
///
/// pt2_clone() defines the state. Each value becomes the one in the archive or, if the weight was
/// set, the one that it was set to. Clones keep their states. Inputs that the program wrote to keep
/// their contents.
///
/// On CUDA, the work is queued on the stream, as that of a run is.
///
/// # Parameters
/// - `model`: The model.
/// - `options`: The options, or NULL for the defaults.
///
/// # Returns
/// NULL on success. On failure, an error owned by the caller.
///
/// # Ownership
/// All pointers are borrowed for the call. Outputs that share memory with the state change with it.
///
/// # Thread safety
/// Thread-safe. Runs and resets of one model run one after the other.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_reset_state(
    model: *const pt2_model,
    options: *const pt2_run_options,
) -> *mut pt2_error {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    guard(|| unsafe {
        let loaded = Arc::clone(&required(model, "model")?.loaded);
        loaded.model.reset_state(&run_options(options)?)
    })
}
