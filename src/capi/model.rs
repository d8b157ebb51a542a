//! Loading, running and freeing a model.

use super::error::{c_text, pt2_error};
use super::guard::{array, guard, guard_or, put, required, text, usable};
use super::options::{load_options, pt2_load_options, pt2_run_options, run_options};
use super::port::PortText;
use super::statistics::pt2_statistics;
use super::tensor::pt2_tensor;
use crate::model::Model;
use crate::program::Interface;
use crate::torch::Tensor;
use crate::{Error, Result};
use libc::{c_char, c_void};
use once_cell::sync::OnceCell;
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
    /// The first reason that anyone asked for: C holds on to its text.
    refusal: OnceCell<CString>,
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
            refusal: OnceCell::new(),
            model,
        }
    }

    pub(super) fn interface(&self) -> &Interface {
        self.model.interface()
    }

    pub(super) fn statistics(&self) -> pt2_statistics {
        let statistics = self.model.statistics();
        let refusal = statistics.refusal.map(|reason| self.refusal.get_or_init(|| c_text(&reason)).as_ptr());
        pt2_statistics {
            struct_size: 0,
            cuda_graphs: statistics.recordings as u64,
            cuda_graph_launches: statistics.launches,
            cuda_graph_refusal: refusal.unwrap_or(std::ptr::null()),
        }
    }
}

/// Loads a program that `torch.export.save` wrote.
///
/// Parameters: `path` is the file, a NUL-terminated string in the bytes of the file system. `options` may be NULL.
/// `model` receives the handle.
///
/// Returns NULL, or an error, and then `model` is untouched. Before this returns, all stored bytes that are used
/// are compared with their checksums, every operator is looked up and every input is described. A damaged or
/// hostile archive gives an error. Running a hostile program is another matter: do that in a sandbox.
///
/// Ownership: the arguments are borrowed for the call. The handle belongs to the caller, who frees it with
/// `pt2_free`. The file is not kept open; `pt2_memory` says whether it stays mapped.
///
/// Threads: any thread; loads may run in parallel.
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
        usable(model, "model")?;
        let loaded = Arc::new(Loaded::new(Model::load(path, &options)?));
        put(model, "model", Box::into_raw(Box::new(pt2_model { loaded })))
    })
}

/// Loads a program from the bytes of such a file. Nothing is written to disk.
///
/// Parameters: `data` are `size` bytes. `options` may be NULL; their `memory` is not looked at, for the bytes are
/// always copied. `model` receives the handle.
///
/// Returns NULL, or an error, and then `model` is untouched; what `pt2_load` promises holds here too.
///
/// Ownership: the arguments are borrowed for the call, and the bytes may be changed or freed after it. The handle
/// belongs to the caller, who frees it with `pt2_free`.
///
/// Threads: any thread; loads may run in parallel. Nobody may change the bytes during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_load_from_memory(
    data: *const c_void,
    size: usize,
    options: *const pt2_load_options,
    model: *mut *mut pt2_model,
) -> *mut pt2_error {
    // SAFETY: the caller's promises.
    guard(|| unsafe {
        let bytes = array(data.cast::<u8>(), addressable(size)?, "data")?;
        let options = load_options(options)?;
        usable(model, "model")?;
        let loaded = Arc::new(Loaded::new(Model::load_from_memory(bytes, &options)?));
        put(model, "model", Box::into_raw(Box::new(pt2_model { loaded })))
    })
}

/// No object is larger than half of the address space.
fn addressable(size: usize) -> Result<usize> {
    let reason = || format!("{size} bytes are more than memory can hold");
    let fits = isize::try_from(size).is_ok();
    fits.then_some(size).ok_or_else(|| Error::Argument { argument: "size", reason: reason() })
}

/// Runs the program once.
///
/// Parameters: `inputs` are `input_count` tensors in the order of `pt2_input_info`; NULL stands for Python's None
/// and for inputs that are constants of the program, and a number is passed as a tensor of one element on the
/// CPU. `options` may be NULL. `outputs` has room for `output_count` handles, which must be `pt2_output_count`;
/// each place receives a new tensor, or NULL where the program gives None. Numbers arrive as 0-d tensors on the
/// CPU.
///
/// Returns NULL, or an error, and then `outputs` is untouched and the model stays usable. Count, kind, dtype,
/// device, rank, sizes and relations between sizes are checked before anything runs; values are not. When an
/// operator fails, a program that writes to its state or to its inputs may have written part of it.
///
/// Ownership: inputs are borrowed for the call and may be freed after it; outputs belong to the caller, who frees
/// each with `pt2_tensor_free`, and outlive the model. Where the program returns an input or a weight, the output
/// shares its memory. A program that writes to its inputs writes to the caller's memory. On CUDA the work is
/// queued when this returns: read the outputs on the same stream, or through `pt2_tensor_to_host`, which waits; a
/// device fault may surface in a later call.
///
/// Threads: any number may run one model at once. Programs that write to their own state (`pt2_model_mutates`)
/// take turns. The same inputs give the same bits whatever other threads do, where libtorch's kernels are
/// deterministic.
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
        require_count(&loaded, input_count)?;
        require_room(&loaded, outputs, output_count)?;
        let given = array(inputs, input_count, "inputs")?;
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

/// Before the array is read: a wrong count says nothing good about how long it is.
fn require_count(loaded: &Loaded, found: usize) -> Result<()> {
    match loaded.inputs.len() {
        expected if expected != found => Err(Error::InputCount { expected, found }),
        _ => Ok(()),
    }
}

fn require_room(loaded: &Loaded, outputs: *mut *mut pt2_tensor, count: usize) -> Result<()> {
    let refuse = |argument, reason| Err(Error::Argument { argument, reason });
    match loaded.outputs.len() {
        expected if expected != count => {
            refuse("output_count", format!("the program gives {expected} outputs, there is room for {count}"))
        }
        0 => Ok(()),
        _ => usable(outputs, "outputs"),
    }
}

/// Frees a model.
///
/// Parameters: `model` may be NULL. No call with it may begin afterwards, and it must not be freed again.
///
/// Ownership: outputs of the model stay valid, and calls in flight on other threads finish first.
///
/// Threads: any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_free(model: *mut pt2_model) {
    guard_or((), || {
        if !model.is_null() {
            // SAFETY: the caller's promise; `pt2_load` made it with Box::into_raw.
            drop(unsafe { Box::from_raw(model) });
        }
    });
}

/// The device that the model runs on, such as `cpu` or `cuda:0`.
///
/// Returns NULL for NULL.
///
/// Ownership: the text lives as long as the model. Threads: any number at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_model_device(model: *const pt2_model) -> *const c_char {
    // SAFETY: the caller's promise.
    guard_or(std::ptr::null(), || unsafe { text_of(model, |loaded| &loaded.device) })
}

/// The model's name in its archive.
///
/// Returns NULL for NULL.
///
/// Ownership: the text lives as long as the model. Threads: any number at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_model_name(model: *const pt2_model) -> *const c_char {
    // SAFETY: the caller's promise.
    guard_or(std::ptr::null(), || unsafe { text_of(model, |loaded| &loaded.name) })
}

/// Whether the program writes to its own parameters, buffers or constants, so that a call depends on those before
/// it and calls take turns.
///
/// Returns false for NULL.
///
/// Ownership: `model` is borrowed. Threads: any number at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_model_mutates(model: *const pt2_model) -> bool {
    // SAFETY: the caller's promise.
    let model = || unsafe { model.as_ref() };
    guard_or(false, || model().is_some_and(|model| !model.loaded.model.effects().state.is_empty()))
}

/// # Safety
/// `model` is NULL or a model that was not freed.
unsafe fn text_of(model: *const pt2_model, pick: fn(&Loaded) -> &CString) -> *const c_char {
    // SAFETY: the caller's promise.
    let model = unsafe { model.as_ref() };
    model.map_or(std::ptr::null(), |model| pick(&model.loaded).as_ptr())
}
