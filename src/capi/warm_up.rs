//! Preparing a model for inputs of given sizes.

use super::error::pt2_error;
use super::guard::{guard, required};
use super::model::pt2_model;
use super::options::{pt2_run_options, run_options};
use super::run::{require_count, tensors};
use super::tensor::pt2_tensor;
use std::sync::Arc;

/// Prepares a model for inputs of given sizes, strides, dtypes and numbers.
///
/// After a warm-up, the first such call costs no more than later ones. Call it once for each batch
/// size after pt2_load(). Returns when all work is done.
///
/// Libraries select and keep their algorithms. On the CPU, the weights of convolutions are
/// prepacked for oneDNN and kept. The second call would do this otherwise, in more time than a
/// forward takes. On a CUDA device, a CUDA graph is captured unless `cuda_graphs` is negative.
///
/// A warm-up changes nothing that a caller can observe, except the numbers of
/// pt2_model_statistics(), which count its runs. A program that writes to its state or inputs
/// writes to copies, which need memory during the call.
///
/// # Parameters
/// - `model`: The model.
/// - `inputs`: `input_count` tensors, as for pt2_run(). Their values do not matter, unless
///   the control flow of the program depends on values. Uninitialised memory is allowed.
/// - `input_count`: The number of inputs, which must be pt2_input_count().
/// - `options`: The options, or NULL for the defaults.
///
/// # Returns
/// NULL on success. On failure, an error owned by the caller. Inputs are checked as by
/// pt2_run().
///
/// Two kinds of models are rejected with `PT2_ERROR_UNSUPPORTED`:
///
/// - Programs that draw random numbers: their runs would advance the random number generators of
///   the process.
/// - Compiled models: a package does not record whether it uses random numbers or mutates state.
///
/// # Ownership
/// All pointers are borrowed for the call.
///
/// # Thread safety
/// Thread-safe. cuDNN keeps part of its preparation for each thread, so warm up on the thread that
/// will run.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_warm(
    model: *const pt2_model,
    inputs: *const *mut pt2_tensor,
    input_count: usize,
    options: *const pt2_run_options,
) -> *mut pt2_error {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    guard(|| unsafe {
        let loaded = Arc::clone(&required(model, "model")?.loaded);
        let options = run_options(options)?;
        require_count(&loaded, input_count)?;
        loaded.model.warm(&tensors(inputs, input_count, "inputs")?, &options)
    })
}
