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

/// A weight by its name, as it is now, on the model's device.
///
/// What the program writes to (`pt2_clone` says what belongs to its state) comes as a copy, after the calls made
/// before and before those made later. Every other weight shares memory with the model (or with the tensor it was
/// set to) and must not be written to: copy it to change it. Calls refuse to write there: `pt2_run` as an input that the
/// program writes to, `pt2_run_into` as an output. One that was only needed to compute others is brought
/// from the archive again, on the CPU as pages of it, on CUDA as a copy.
///
/// Parameters: `name` is the fully qualified name, such as `layers.0.weight`. `tensor` receives a new handle.
///
/// Returns NULL, or an error, and then `tensor` is untouched.
///
/// Ownership: `model` and `name` are borrowed. The handle belongs to the caller, who frees it with
/// `pt2_tensor_free`; it outlives the model and stays what it was when the weight is set to something else.
///
/// Threads: any number at once, also while the model runs. On CUDA this waits for the device if it copies.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_get_parameter(
    model: *const pt2_model,
    name: *const c_char,
    tensor: *mut *mut pt2_tensor,
) -> *mut pt2_error {
    // SAFETY: the caller's promises.
    guard(|| unsafe {
        let loaded = Arc::clone(&required(model, "model")?.loaded);
        let name = required_text(name, "name")?;
        usable(tensor, "tensor")?;
        put(tensor, "tensor", pt2_tensor::give(loaded.model.parameter(name)?, ptr::null_mut()))
    })
}

/// Sets one weight: `pt2_swap_parameters` with one name.
///
/// Returns NULL, or an error that names the weight, and then nothing changed.
///
/// Ownership: the arguments are borrowed for the call, the tensor's memory for longer: see `pt2_swap_parameters`.
/// Threads: any number at once, also while the model runs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_set_parameter(
    model: *const pt2_model,
    name: *const c_char,
    tensor: *const pt2_tensor,
) -> *mut pt2_error {
    // SAFETY: the caller's promises.
    guard(|| unsafe {
        let loaded = Arc::clone(&required(model, "model")?.loaded);
        let name = required_text(name, "name")?;
        let tensor = required(tensor, "tensor")?.share();
        loaded.model.swap_parameters(&[(name, &tensor)])
    })
}

/// Sets several weights at once, between calls: calls in flight finish on the old ones, and each call runs on the old
/// or on the new ones, never on some of each. Calls do not wait for it, except those of a program that writes to its
/// state, which take turns with the exchange itself.
///
/// What is computed from weights alone (folded batch norms, reordered or converted weights) is computed again before the
/// exchange, as far as it depends on the weights given: on this thread, beside the calls. Before the first run that is
/// what the load computed; the rest is left to the first run. It costs as much as before, and its memory twice until
/// the last call on the old weights is done. Recorded CUDA graphs hold the addresses of weights: they are dropped, and
/// recorded again after a few calls.
///
/// Names that share memory go on sharing it, as with `load_state_dict` of PyTorch: a tied weight changes under all
/// its names, and a view of a larger buffer changes that part of it. Setting several of them to different values is
/// refused. A weight that the program writes to gets the values as its new state, and as what `pt2_reset_state` puts
/// back; what the program wrote to other weights stays.
///
/// Compiled code (`PT2_FORM_COMPILED`) is given them between two calls, for which later calls wait. What the compiler
/// built into the code is not among its weights.
///
/// Only this model changes. A clone begins with the weights that its original has then; later neither sees what the
/// other is set to, and what both have is shared. `pt2_share_parameters` gives the weights of one to another.
///
/// Parameters: `names` and `tensors` are `count` fully qualified names and the tensors for them, each with the
/// weight's dtype and sizes, on the model's device, strided in any way. No name may come twice, no tensor may be
/// NULL. On CUDA all work that is queued when this is called is waited for, so tensors may still be being filled.
///
/// Returns NULL, or an error that names the weight, and then nothing changed: `PT2_ERROR_ARGUMENT` for a name that
/// the program has not, that comes twice or that has no tensor, `PT2_ERROR_WEIGHT` for a tensor that does not fit.
///
/// Ownership: all arguments are borrowed for the call, the tensors' memory for longer. Where a tensor has the
/// weight's strides (`pt2_parameter_info`) and its memory is aligned to 64 bytes on the CPU, or 512 on CUDA, the
/// model shares that memory and so do all other models set to it; it must not be written to until its release is
/// called. Elsewhere, and where the program writes to the weight, the model has a copy. The memory is let go when no
/// model, no call in flight and no output uses it.
///
/// Threads: any number at once, also while the model runs; exchanges of one model come one after the other.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_swap_parameters(
    model: *const pt2_model,
    names: *const *const c_char,
    tensors: *const *mut pt2_tensor,
    count: usize,
) -> *mut pt2_error {
    // SAFETY: the caller's promises.
    guard(|| unsafe {
        let loaded = Arc::clone(&required(model, "model")?.loaded);
        let names = texts(&loaded, names, count)?;
        let tensors = array(tensors, count, "tensors")?;
        let shared: Vec<Tensor> =
            names.iter().zip(tensors).map(|(name, tensor)| given(name, *tensor)).collect::<Result<_>>()?;
        loaded.model.swap_parameters(&names.into_iter().zip(&shared).collect::<Vec<_>>())
    })
}

/// Puts weights back to what the archive holds, in the same way as `pt2_swap_parameters` sets them.
///
/// The archive's bytes are used where they lie: on the CPU they are the pages of the file (`pt2_memory`), so neither
/// setting nor resetting keeps a second copy; on CUDA they are copied to the device again. Outputs have the same bits
/// as before the weights were set.
///
/// Parameters: `names` are `count` fully qualified names; each is put back with all that shares its memory. NULL
/// with a `count` of 0 stands for all weights that were set. A weight that the program writes to begins anew with
/// the archive's content if it is among them; otherwise it keeps what was written to it (`pt2_reset_state`).
///
/// Returns NULL, or an error, and then nothing changed.
///
/// Ownership: all arguments are borrowed for the call.
///
/// Threads: any number at once, also while the model runs; exchanges of one model come one after the other.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_reset_parameters(
    model: *const pt2_model,
    names: *const *const c_char,
    count: usize,
) -> *mut pt2_error {
    // SAFETY: the caller's promises.
    guard(|| unsafe {
        let loaded = Arc::clone(&required(model, "model")?.loaded);
        let all = names.is_null() && count == 0;
        let names = texts(&loaded, names, count)?;
        loaded.model.reset_parameters(if all { None } else { Some(&names) })
    })
}

/// Gives a model the weights that a clone of it has, or that it was cloned from, with all that was computed from
/// them: nothing is copied and nothing is computed. Set the weights of one clone, then share them with the others.
/// Compiled code computes anew what follows from them, and copies what it may write to (`pt2_clone`).
///
/// Parameters: `source` is a clone of `model`, or `model` of `source`, or both of a third.
///
/// Returns NULL, or an error, and then nothing changed.
///
/// Ownership: both models are borrowed; either may be freed afterwards. The state of `model` stays as it is, and
/// `pt2_reset_state` puts it back to the weights of `source`.
///
/// Threads: any number at once, also while both run. The exchange is like that of `pt2_swap_parameters`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_share_parameters(
    model: *const pt2_model,
    source: *const pt2_model,
) -> *mut pt2_error {
    // SAFETY: the caller's promises.
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
    // SAFETY: the caller's promise.
    unsafe { array(first, count, "names")?.iter().map(|name| required_text(*name, "names")).collect() }
}

/// # Safety
/// `tensor` is NULL or a tensor that was not freed.
unsafe fn given(name: &str, tensor: *const pt2_tensor) -> Result<Tensor> {
    let null = || {
        let reason = format!("the one for `{}` is NULL", name.escape_debug());
        Error::Argument { argument: "tensors", reason }
    };
    // SAFETY: the caller's promise.
    unsafe { tensor.as_ref() }.map(pt2_tensor::share).ok_or_else(null)
}
