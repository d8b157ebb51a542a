//! Preparing a model for inputs of given sizes.

use super::error::pt2_error;
use super::guard::{guard, required};
use super::model::pt2_model;
use super::options::{pt2_run_options, run_options};
use super::run::{require_count, tensors};
use super::tensor::pt2_tensor;
use std::sync::Arc;

/// Prepares calls with inputs of these sizes, strides, dtypes and numbers, so that the first of them costs no more
/// than later ones: call it once for each batch size after `pt2_load`. Libraries choose and keep their algorithms. On
/// the CPU the weights of convolutions are brought into oneDNN's order to stay, which the second call would do, for
/// more time than a forward takes. On a CUDA device the kernels are recorded, unless `cuda_graphs` is negative.
///
/// Parameters: `inputs` are `input_count` tensors as for `pt2_run`. What they hold decides nothing, except where the
/// program's way depends on values; memory that was never written will do. `options` may be NULL.
///
/// Returns NULL, or an error; inputs of the wrong count, kind, dtype, device or size are refused as `pt2_run` refuses
/// them. A program that draws random numbers is refused with `PT2_ERROR_UNSUPPORTED`, for its runs would move the
/// process's random numbers on; so is compiled code, of which nobody tells what it draws or writes to. Returns when
/// all work is done.
///
/// Ownership: all pointers are borrowed for the call. Nothing is changed that a caller can see: a program that writes
/// to its state or to its inputs writes to copies, for which there must be memory meanwhile. Only the numbers of
/// `pt2_model_statistics` count these runs too.
///
/// Threads: any number at once. cuDNN keeps part of what it prepares for each thread, so let a thread warm that will
/// call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_warm(
    model: *const pt2_model,
    inputs: *const *mut pt2_tensor,
    input_count: usize,
    options: *const pt2_run_options,
) -> *mut pt2_error {
    // SAFETY: the caller's promises.
    guard(|| unsafe {
        let loaded = Arc::clone(&required(model, "model")?.loaded);
        let options = run_options(options)?;
        require_count(&loaded, input_count)?;
        loaded.model.warm(&tensors(inputs, input_count, "inputs")?, &options)
    })
}
