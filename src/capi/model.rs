//! Loading, running and freeing a model.

use super::error::{c_text, pt2_error};
use super::guard::{array, guard, guard_or, guard_quietly, put, text, usable};
use super::options::pt2_form::{PT2_FORM_COMPILED, PT2_FORM_EXPORTED};
use super::options::{load_options, pt2_load_options};
use super::parameter::ParameterText;
use super::port::PortText;
use super::statistics::pt2_statistics;
use crate::model::{Form, Model};
use crate::program::Interface;
use crate::reserve::check;
use crate::{Error, Result};
use libc::{c_char, c_void};
use once_cell::sync::OnceCell;
use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

/// A loaded program with its weights on one device. Any number of threads may run it and ask about it at once, and
/// they share one copy of the weights. What its program writes to is the model's own state, see `pt2_clone`.
#[derive(Debug)]
pub struct pt2_model {
    pub(super) loaded: Arc<LoadedModel>,
}

/// What calls in flight keep alive when the handle is freed.
#[derive(Debug)]
pub(super) struct LoadedModel {
    pub(super) model: Model,
    pub(super) texts: Arc<ModelTexts>,
}

/// What a model tells about itself, in C's form. Clones share it.
#[derive(Debug)]
pub(super) struct ModelTexts {
    device: CString,
    name: CString,
    pub(super) inputs: Vec<PortText>,
    pub(super) outputs: Vec<PortText>,
    unchecked: Vec<CString>,
    pub(super) parameters: Vec<ParameterText>,
    /// The first reason that anyone asked for: C holds on to its text.
    refusal: OnceCell<CString>,
}

impl ModelTexts {
    fn of(model: &Model) -> ModelTexts {
        let interface = model.interface();
        let describe = |ports: &[_]| ports.iter().map(|port| PortText::new(port, interface)).collect();
        ModelTexts {
            device: c_text(&model.device().to_string()),
            name: c_text(model.name()),
            inputs: describe(&interface.inputs),
            outputs: describe(&interface.outputs),
            unchecked: interface.unchecked_guards.iter().map(|text| c_text(text)).collect(),
            parameters: model.parameters().iter().map(ParameterText::new).collect(),
            refusal: OnceCell::new(),
        }
    }
}

impl pt2_model {
    pub(super) fn give(model: Model, texts: Arc<ModelTexts>) -> *mut pt2_model {
        Box::into_raw(Box::new(pt2_model { loaded: Arc::new(LoadedModel { model, texts }) }))
    }

    fn of(model: Model) -> *mut pt2_model {
        let texts = Arc::new(ModelTexts::of(&model));
        pt2_model::give(model, texts)
    }
}

impl LoadedModel {
    pub(super) fn interface(&self) -> &Interface {
        self.model.interface()
    }

    pub(super) fn statistics(&self) -> pt2_statistics {
        let statistics = self.model.statistics();
        let refusal =
            statistics.refusal.map(|reason| self.texts.refusal.get_or_init(|| c_text(&reason)).as_ptr());
        pt2_statistics {
            struct_size: 0,
            cuda_graphs: statistics.cuda_graphs as u64,
            cuda_graph_launches: statistics.launches,
            cuda_graph_refusal: refusal.unwrap_or(std::ptr::null()),
        }
    }
}

/// Loads a program that `torch.export.save` wrote, or code that `torch._inductor.aoti_compile_and_package` compiled.
///
/// Parameters: `path` is the file, a NUL-terminated string in the bytes of the file system. `options` may be NULL.
/// `model` receives the handle.
///
/// Returns NULL, or an error, and then `model` is untouched. Before this returns, all stored bytes that are used
/// are compared with their checksums, every operator is looked up and every input is described. A damaged or
/// hostile archive gives an error. No operator of the program runs before the first `pt2_run` or `pt2_warm`. The
/// load itself folds norms into weights and reorders weights, at sizes that were checked against the stored bytes and
/// within four times these bytes and 16 MiB. Running a hostile program is another matter: do that in a sandbox. Compiled code is
/// native code: it is loaded only where `allow_native_code` is set, after it was found to be for this machine.
///
/// Ownership: the arguments are borrowed for the call. The handle belongs to the caller, who frees it with
/// `pt2_free`. The file is not kept open; `pt2_memory` says whether it stays mapped, on any device: weights may be
/// asked for and put back later (`pt2_get_parameter`, `pt2_reset_parameters`).
///
/// Threads: any thread; loads may run in parallel. On a CUDA device three things go on in threads after this returns:
/// the weights go to the device, norms are folded into them, and cuDNN and cuBLAS are loaded. They end by
/// themselves; the first run waits for what it needs and reports what failed there (device memory that ran out: the
/// next run tries again), and `pt2_free` waits for all. Name the device in the options: then CUDA starts beside other
/// work in a process that has not used it.
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
        let loaded = Model::load(path, &options)?;
        check()?;
        put(model, "model", pt2_model::of(loaded))
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
/// belongs to the caller, who frees it with `pt2_free`. The copy stays in host memory as long as the model lives.
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
        let loaded = Model::load_from_memory(bytes, &options)?;
        check()?;
        put(model, "model", pt2_model::of(loaded))
    })
}

/// No object is larger than half of the address space.
fn addressable(size: usize) -> Result<usize> {
    let reason = || format!("{size} bytes are more than memory can hold");
    let fits = isize::try_from(size).is_ok();
    fits.then_some(size).ok_or_else(|| Error::Argument { argument: "size", reason: reason() })
}

/// Frees a model.
///
/// Parameters: `model` may be NULL. No call with it may begin afterwards, and it must not be freed again.
///
/// Ownership: outputs and clones of the model stay valid, and calls in flight on other threads finish first.
///
/// Threads: any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_free(model: *mut pt2_model) {
    guard_quietly(|| {
        if !model.is_null() {
            // SAFETY: the caller's promise; `pt2_model::give` made it with Box::into_raw.
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
    guard_or(std::ptr::null(), || unsafe { text_of(model, |texts| &texts.device) })
}

/// The model's name in its archive.
///
/// Returns NULL for NULL.
///
/// Ownership: the text lives as long as the model. Threads: any number at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_model_name(model: *const pt2_model) -> *const c_char {
    // SAFETY: the caller's promise.
    guard_or(std::ptr::null(), || unsafe { text_of(model, |texts| &texts.name) })
}

/// Whether the program writes to its own parameters, buffers or constants, so that a call depends on those before
/// it and calls take turns.
///
/// Returns false for NULL, and for compiled code without its program beside it, of which nobody tells.
///
/// Ownership: `model` is borrowed. Threads: any number at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_model_mutates(model: *const pt2_model) -> bool {
    // SAFETY: the caller's promise.
    let model = || unsafe { model.as_ref() };
    guard_or(false, || model().is_some_and(|model| !model.loaded.model.effects().state.is_empty()))
}

/// In which form the model runs.
///
/// Returns `PT2_FORM_EXPORTED` or `PT2_FORM_COMPILED`; 0 for NULL.
///
/// Ownership: `model` is borrowed. Threads: any number at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_model_form(model: *const pt2_model) -> i32 {
    // SAFETY: the caller's promise.
    let model = || unsafe { model.as_ref() };
    guard_or(0, || {
        model().map_or(0, |model| match model.loaded.model.form() {
            Form::Compiled => PT2_FORM_COMPILED as i32,
            _ => PT2_FORM_EXPORTED as i32,
        })
    })
}

/// What calls are not checked for, one sentence each: conditions of a program that nobody can decide before it runs,
/// and what an archive of compiled code does not tell about its inputs.
///
/// Compiled code takes the sizes that the program beside it allows. Those among them that its compiler assumed not to
/// come are named here: PyTorch takes them too, and nobody records what the compiler made of its assumption. Without a
/// program the sizes that the compiler assumed are the only ones, and others are refused (`PT2_ERROR_INPUT`).
///
/// Returns the sentence number `index`, counted from 0; NULL where there are no more, and for NULL.
///
/// Ownership: the text lives as long as the model. Threads: any number at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_model_unchecked(model: *const pt2_model, index: usize) -> *const c_char {
    // SAFETY: the caller's promise.
    let texts = || unsafe { model.as_ref() }.map(|model| &model.loaded.texts.unchecked);
    let text = || texts().and_then(|texts| texts.get(index)).map_or(std::ptr::null(), |text| text.as_ptr());
    guard_or(std::ptr::null(), text)
}

/// # Safety
/// `model` is NULL or a model that was not freed.
unsafe fn text_of(model: *const pt2_model, pick: fn(&ModelTexts) -> &CString) -> *const c_char {
    // SAFETY: the caller's promise.
    let model = unsafe { model.as_ref() };
    model.map_or(std::ptr::null(), |model| pick(&model.loaded.texts).as_ptr())
}
