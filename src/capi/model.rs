//! Loading, running and freeing a model.

use super::error::{c_text, pt2_error};
use super::guard::{array, guard, guard_or, put, required, text};
use super::options::{load_options, pt2_load_options, pt2_run_options, run_options};
use super::port::PortText;
use super::tensor::pt2_tensor;
use crate::model::Model;
use crate::torch::Tensor;
use crate::{Error, Result};
use libc::c_char;
use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

/// A loaded program with its weights on one device. It is immutable: any number of threads may run it and ask
/// about it at once, and they share one copy of the weights.
#[derive(Debug)]
pub struct pt2_model {
    pub(super) loaded: Arc<Loaded>,
}

/// What calls in flight keep alive when the handle is freed.
#[derive(Debug)]
pub(super) struct Loaded {
    model: Model,
    device: CString,
    name: CString,
    pub(super) inputs: Vec<PortText>,
    pub(super) outputs: Vec<PortText>,
}

impl Loaded {
    fn new(model: Model) -> Loaded {
        let interface = model.interface();
        let describe = |ports: &[_]| ports.iter().map(|port| PortText::new(port, interface)).collect();
        Loaded {
            device: c_text(&model.device().to_string()),
            name: c_text(model.name()),
            inputs: describe(&interface.inputs),
            outputs: describe(&interface.outputs),
            model,
        }
    }
}

/// Loads a program that `torch.export.save` wrote.
///
/// Parameters: `path` is the file, in the bytes of the file system. `options` may be NULL. `model` receives the
/// handle.
///
/// Returns NULL, or an error, and then `model` is untouched. All stored bytes that are used are compared with
/// their checksums, every operator is looked up and every input is described before this returns.
///
/// The arguments are borrowed for the call. The handle belongs to the caller, who frees it with `pt2_free`.
/// The file is not kept open; with `PT2_MEMORY_MAP` it stays mapped. Any thread may load, and loads may run in
/// parallel. A hostile archive gives an error, never undefined behaviour; running a hostile program is another
/// matter: run it in a sandbox.
///
/// # Safety
/// `path` is NUL-terminated, `options` is NULL or as its `struct_size` says, `model` can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_load(
    path: *const c_char,
    options: *const pt2_load_options,
    model: *mut *mut pt2_model,
) -> *mut pt2_error {
    // SAFETY: the caller's promises.
    guard(|| unsafe {
        let path = Path::new(OsStr::from_bytes(text(path, "path")?.to_bytes()));
        let options = load_options(options)?;
        required(model, "model")?;
        let loaded = Arc::new(Loaded::new(Model::load(path, &options)?));
        put(model, "model", Box::into_raw(Box::new(pt2_model { loaded })))
    })
}

/// Runs the program once.
///
/// Parameters: `inputs` are `input_count` tensors in the order of `pt2_input_info`; NULL stands for Python's
/// None and for inputs that are constants of the program, and a number is passed as a tensor of one element on
/// the CPU. `options` may be NULL. `outputs` has room for `output_count` pointers, which must be
/// `pt2_output_count`; each receives a new tensor, or NULL where the program gives None. Numbers arrive as 0-d
/// tensors on the CPU.
///
/// Returns NULL, or an error, and then `outputs` is untouched and the model stays usable. Count, kind, dtype,
/// device, rank, sizes and relations of sizes are checked before anything runs; values are not.
///
/// Inputs are borrowed for the call, and an output may share their memory or that of the weights where the
/// program returns them. Programs that write to their inputs write to the caller's memory. Outputs belong to
/// the caller and outlive the model. On CUDA the work is queued when this returns: read the outputs on the same
/// stream, or through `pt2_tensor_to_host`, which waits; a device fault may surface in a later call.
///
/// Any number of threads may call this at once. Programs that write to their own state (`pt2_model_mutates`)
/// take turns, in the order in which the calls come. The same inputs give the same bits, whatever other threads
/// do, where the kernels of libtorch are deterministic.
///
/// # Safety
/// `model` was not freed, `inputs` leads to `input_count` tensors or NULLs, `outputs` to room for
/// `output_count` pointers, `options` is NULL or as its `struct_size` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_run(
    model: *const pt2_model,
    inputs: *const *mut pt2_tensor,
    input_count: usize,
    options: *const pt2_run_options,
    outputs: *mut *mut pt2_tensor,
    output_count: usize,
) -> *mut pt2_error {
    // SAFETY: the caller's promises.
    guard(|| unsafe {
        let loaded = Arc::clone(&required(model, "model")?.loaded);
        let options = run_options(options)?;
        let given = array(inputs, input_count, "inputs")?;
        require_room(&loaded, outputs, output_count)?;
        let inputs: Vec<Option<Tensor>> =
            given.iter().map(|input| input.as_ref().map(pt2_tensor::share)).collect();
        let results = loaded.model.run(&inputs, &options)?;
        for (index, result) in results.into_iter().enumerate() {
            let tensor = result.map(|tensor| pt2_tensor::give(tensor, options.stream));
            outputs.add(index).write(tensor.unwrap_or(std::ptr::null_mut()));
        }
        Ok(())
    })
}

fn require_room(loaded: &Loaded, outputs: *mut *mut pt2_tensor, count: usize) -> Result<()> {
    let refuse = |argument, reason| Err(Error::Argument { argument, reason });
    match loaded.outputs.len() {
        expected if expected != count => {
            refuse("output_count", format!("the program gives {expected} outputs, there is room for {count}"))
        }
        expected if expected > 0 && outputs.is_null() => refuse("outputs", "it is NULL".into()),
        _ => Ok(()),
    }
}

/// Frees a model. NULL is fine. Calls in flight finish; outputs stay valid. Must not be called twice for the
/// same model, and no call with it may begin afterwards.
///
/// # Safety
/// `model` is NULL or a model that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_free(model: *mut pt2_model) {
    guard_or((), || {
        if !model.is_null() {
            // SAFETY: the caller's promise; `pt2_load` made it with Box::into_raw.
            drop(unsafe { Box::from_raw(model) });
        }
    });
}

/// The device the model runs on, such as `cpu` or `cuda:0`; NULL for NULL. The text lives as long as the model.
///
/// # Safety
/// `model` is NULL or a model that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_model_device(model: *const pt2_model) -> *const c_char {
    // SAFETY: the caller's promise.
    guard_or(std::ptr::null(), || {
        unsafe { model.as_ref() }.map_or(std::ptr::null(), |m| m.loaded.device.as_ptr())
    })
}

/// The model's name in its archive; NULL for NULL. The text lives as long as the model.
///
/// # Safety
/// `model` is NULL or a model that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_model_name(model: *const pt2_model) -> *const c_char {
    // SAFETY: the caller's promise.
    guard_or(std::ptr::null(), || {
        unsafe { model.as_ref() }.map_or(std::ptr::null(), |m| m.loaded.name.as_ptr())
    })
}

/// Whether the program writes to its own parameters, buffers or constants, so that calls depend on those before
/// them and take turns. False for NULL.
///
/// # Safety
/// `model` is NULL or a model that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_model_mutates(model: *const pt2_model) -> bool {
    // SAFETY: the caller's promise.
    let model = || unsafe { model.as_ref() };
    guard_or(false, || model().is_some_and(|model| !model.loaded.model.effects().state.is_empty()))
}
