//! Weights by name: asked for, given others, put back.

use super::error::pt2_error;
use super::guard::{array, guard, put, required, required_text, usable};
use super::model::{LoadedModel, pt2_model};
use super::tensor::pt2_tensor;
use crate::torch::Tensor;
use crate::{Error, Result};
use libc::c_char;
use std::ptr;
use std::sync::Arc;

/// Returns the current value of a weight, on the model's device.
///
/// A weight that belongs to the state (pt2_clone()) is returned as a copy, taken after earlier
/// calls and before later ones. Every weight of compiled code is returned as a copy, taken between
/// two calls.
///
/// Every other weight shares memory with the model, or with the tensor that it was set to. It must
/// not be written to: copy it to change it. Calls refuse to write there: pt2_run() for an input
/// that the program writes to, and pt2_run_into() for an output tensor.
///
/// A weight that was needed only for constant folding is read from the archive again: on the CPU as
/// pages of the archive, on CUDA as a copy.
///
/// # Parameters
/// - `model`: The model.
/// - `name`: The fully qualified name, such as `layers.0.weight`.
/// - `tensor` (out): Receives a new handle.
///
/// # Returns
/// NULL on success. On failure, an error owned by the caller; `*tensor` stays unmodified.
///
/// # Ownership
/// `model` and `name` are borrowed for the call. The caller owns the handle and frees it with
/// pt2_tensor_free(). It outlives the model and keeps its value when the weight is set to another
/// tensor.
///
/// # Thread safety
/// Thread-safe, also while the model runs. On CUDA, the call waits for the device if it copies.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_get_parameter(
    model: *const pt2_model,
    name: *const c_char,
    tensor: *mut *mut pt2_tensor,
) -> *mut pt2_error {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    guard(|| unsafe {
        let loaded = Arc::clone(&required(model, "model")?.loaded);
        let name = required_text(name, "name")?;
        usable(tensor, "tensor")?;
        put(tensor, "tensor", pt2_tensor::give(loaded.model.parameter(name)?, ptr::null_mut()))
    })
}

/// Sets one weight.
///
/// The call is pt2_swap_parameters() with one name.
///
/// # Parameters
/// - `model`: The model.
/// - `name`: The fully qualified name.
/// - `tensor`: The new value.
///
/// # Returns
/// NULL on success. On failure, an error owned by the caller, which names the weight;
/// nothing is changed.
///
/// # Ownership
/// The arguments are borrowed for the call, and the memory of the tensor for longer: see
/// pt2_swap_parameters().
///
/// # Thread safety
/// Thread-safe, also while the model runs.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_set_parameter(
    model: *const pt2_model,
    name: *const c_char,
    tensor: *const pt2_tensor,
) -> *mut pt2_error {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    guard(|| unsafe {
        let loaded = Arc::clone(&required(model, "model")?.loaded);
        let name = required_text(name, "name")?;
        let tensor = required(tensor, "tensor")?.share();
        loaded.model.swap_parameters(&[(name, &tensor)])
    })
}

/// Sets several weights at once, between calls.
///
/// Calls in flight finish on the old weight set. Each call runs on the old set or on the new one,
/// never on a mixture. Calls do not wait for the exchange. The exception is a program that writes
/// to its state: its calls and the exchange run one after the other.
///
/// Values that are computed from weights alone, such as folded batch norms and prepacked or
/// converted weights, are computed again before the exchange. This covers only those that depend on
/// the given weights. It happens on this thread, in parallel with calls. Before the first run,
/// these are the values that the load computed; the first run computes the others. The computation
/// costs as much as the first time. Its memory is needed twice until the last call on the old set
/// is done. Captured CUDA graphs hold the addresses of weights: they are dropped, and captured
/// again after a few calls.
///
/// Weights that share memory continue to share it, as with `load_state_dict`
/// (`torch/nn/modules/module.py`, PyTorch 2.11). A tied weight changes under all its names. A view
/// of a larger buffer changes that part of the buffer. Setting several of them to different values
/// is refused.
///
/// A weight that the program writes to gets the value as its new state, and as the value that
/// pt2_reset_state() restores. The state of other weights is kept.
///
/// For compiled code (`PT2_FORM_COMPILED`), the exchange takes place between two calls, and later
/// calls wait for it. Values that the compiler built into the code are not among its weights.
///
/// Only this model changes. A clone starts with the weights of its original at that time. Later
/// exchanges affect only one of the two, and common weights stay shared. pt2_share_parameters()
/// passes the weights of one to another.
///
/// # Parameters
/// - `model`: The model.
/// - `names`: `count` fully qualified names. No name may appear twice.
/// - `tensors`: `count` tensors for these names. None may be NULL. Each has the weight's
///   dtype and sizes, is on the model's device and has any strides. On CUDA, the call waits for all
///   queued work, so tensors may still be being filled.
/// - `count`: The number of names.
///
/// # Returns
/// NULL on success. On failure, an error owned by the caller, which names the weight;
/// nothing is changed. `PT2_ERROR_ARGUMENT` for a name that the program does not have, that appears
/// twice or that has no tensor. `PT2_ERROR_WEIGHT` for a tensor that does not fit.
///
/// # Ownership
/// All arguments are borrowed for the call, and the memory of the tensors for longer. The model
/// shares the memory of a tensor that has the weight's strides (pt2_parameter_info()) and is
/// aligned to 64 bytes on the CPU or 512 bytes on CUDA. libtorch's allocators align in the same way
/// (`c10/core/alignment.h` and `c10/core/AllocatorConfig.h`, PyTorch 2.11). All other models that
/// are set to it share it too. That memory must not be written to until its release function is
/// called. Otherwise, and for a weight that the program writes to, the model keeps a copy. Shared
/// memory is released when no model, no call in flight and no output uses it.
///
/// # Thread safety
/// Thread-safe, also while the model runs. Exchanges of one model run one after the other.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_swap_parameters(
    model: *const pt2_model,
    names: *const *const c_char,
    tensors: *const *mut pt2_tensor,
    count: usize,
) -> *mut pt2_error {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    guard(|| unsafe {
        let loaded = Arc::clone(&required(model, "model")?.loaded);
        let names = texts(&loaded, names, count)?;
        let tensors = array(tensors, count, "tensors")?;
        let shared: Vec<Tensor> =
            names.iter().zip(tensors).map(|(name, tensor)| given(name, *tensor)).collect::<Result<_>>()?;
        loaded.model.swap_parameters(&names.into_iter().zip(&shared).collect::<Vec<_>>())
    })
}

/// Resets weights to the values in the archive.
///
/// The exchange works as in pt2_swap_parameters(). Outputs have the same bits as before the weights
/// were set.
///
/// The bytes of the archive are used in place. On the CPU they are pages of the file
/// (`pt2_memory`), so neither setting nor resetting keeps a second copy. On CUDA they are copied to
/// the device again.
///
/// A weight that the program writes to starts again with the value in the archive if it is among
/// the names. Otherwise it keeps its state (pt2_reset_state()).
///
/// # Parameters
/// - `model`: The model.
/// - `names`: `count` fully qualified names. Each is reset with all weights that share its
///   memory. NULL with a `count` of 0 means all weights that were set.
/// - `count`: The number of names.
///
/// # Returns
/// NULL on success. On failure, an error owned by the caller; nothing is changed.
///
/// # Ownership
/// All arguments are borrowed for the call.
///
/// # Thread safety
/// Thread-safe, also while the model runs. Exchanges of one model run one after the other.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_reset_parameters(
    model: *const pt2_model,
    names: *const *const c_char,
    count: usize,
) -> *mut pt2_error {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    guard(|| unsafe {
        let loaded = Arc::clone(&required(model, "model")?.loaded);
        let all = names.is_null() && count == 0;
        let names = texts(&loaded, names, count)?;
        loaded.model.reset_parameters(if all { None } else { Some(&names) })
    })
}

/// Gives a model the weight set of one of its clones.
///
/// Values computed from the weights are shared too: nothing is copied and nothing is computed. Set
/// the weights of one clone, then share them with the others. Compiled code is the exception: it
/// computes its folded constants again, and copies the constants that it may write to
/// (pt2_clone()).
///
/// The state of `model` is kept. pt2_reset_state() resets it to the weights of `source`.
///
/// # Parameters
/// - `model`: The model that receives the weights.
/// - `source`: The model with the weights: a clone of `model`, or its original, or a clone of
///   the same original.
///
/// # Returns
/// NULL on success. On failure, an error owned by the caller; nothing is changed.
///
/// # Ownership
/// Both models are borrowed. Either may be freed afterwards.
///
/// # Thread safety
/// Thread-safe, also while both run. The exchange works as in pt2_swap_parameters().
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_share_parameters(
    model: *const pt2_model,
    source: *const pt2_model,
) -> *mut pt2_error {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    guard(|| unsafe {
        let loaded = Arc::clone(&required(model, "model")?.loaded);
        let source = Arc::clone(&required(source, "source")?.loaded);
        loaded.model.share_parameters(&source.model)
    })
}

/// # Safety
/// `first` is NULL or leads to `count` strings.
unsafe fn texts<'a>(loaded: &LoadedModel, first: *const *const c_char, count: usize) -> Result<Vec<&'a str>> {
    let known = loaded.texts.parameters.len();
    // Before the array is read: a wrong count says nothing good about how long it is.
    if count > known {
        let reason = format!("{count} names, the program has {known} weights and none may come twice");
        return Err(Error::Argument { argument: "count", reason });
    }
    // SAFETY: the caller upholds the conditions under "Safety".
    unsafe { array(first, count, "names")?.iter().map(|name| required_text(*name, "names")).collect() }
}

/// # Safety
/// `tensor` is NULL or a tensor that was not freed.
unsafe fn given(name: &str, tensor: *const pt2_tensor) -> Result<Tensor> {
    let null = || {
        let reason = format!("the one for `{}` is NULL", name.escape_debug());
        Error::Argument { argument: "tensors", reason }
    };
    // SAFETY: the caller upholds the conditions under "Safety".
    unsafe { tensor.as_ref() }.map(pt2_tensor::share).ok_or_else(null)
}
