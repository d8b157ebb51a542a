//! Loading, running and freeing a model.

use super::error::{c_text, pt2_error};
use super::guard::{array, guard, guard_or, guard_quietly, put, text, usable};
use super::options::pt2_form::{PT2_FORM_COMPILED, PT2_FORM_EXPORTED};
use super::options::{load_options, pt2_load_options};
use super::parameter_text::ParameterText;
use super::port_text::PortText;
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

/// A loaded program with its weights on one device.
///
/// Any number of threads may run and query a model at the same time, and they share one copy of the
/// weights. Values that the program writes to are the state of the model, see pt2_clone().
///
/// Since 0.1.0.
#[derive(Debug)]
pub struct pt2_model {
    pub(super) loaded: Arc<LoadedModel>,
}

/// The part of a model that calls in flight keep alive after the handle is freed.
#[derive(Debug)]
pub(super) struct LoadedModel {
    pub(super) model: Model,
    pub(super) texts: Arc<ModelTexts>,
}

/// The description of a model as C strings and arrays. Clones share it.
#[derive(Debug)]
pub(super) struct ModelTexts {
    device: CString,
    name: CString,
    pub(super) inputs: Vec<PortText>,
    pub(super) outputs: Vec<PortText>,
    unchecked: Vec<CString>,
    pub(super) parameters: Vec<ParameterText>,
    /// The first reason that a query found. It is kept, because C callers hold its address.
    pub(super) refusal: OnceCell<CString>,
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
}

/// Loads a model from an archive.
///
/// The archive holds a program written by `torch.export.save`, or code compiled by
/// `torch._inductor.aoti_compile_and_package`.
///
/// Before the call returns, all used bytes are compared with their checksums, every operator is
/// looked up, and every input is described. A damaged or hostile archive gives an error. No
/// operator of the program runs before the first run or warm-up. The load itself folds norms into
/// weights and reorders weights. It checks their sizes against the stored bytes and uses at most
/// four times these bytes and 16 MiB.
///
/// Running a hostile program is not safe: use a sandbox. Compiled code is native code. It is loaded
/// only if `allow_native_code` is set, and only after it was found to fit this machine.
///
/// On a CUDA device, three tasks continue in threads after the call: weights are copied to the
/// device, norms are folded into them, and cuDNN and cuBLAS are loaded. The threads end by
/// themselves. The first run waits for the results that it needs and reports failures of these
/// tasks. If device memory ran out, the next run tries again. pt2_free() waits for all of them.
///
/// Name the CUDA device in the options: a process that has not used CUDA then starts it while other
/// work goes on.
///
/// # Parameters
/// - `path`: The path of the file, a NUL-terminated string that is passed to the system
///   unchanged.
/// - `options`: The options, or NULL for the defaults.
/// - `model` (out): Receives the model.
///
/// # Returns
/// NULL on success. On failure, an error owned by the caller; `*model` stays unmodified.
///
/// # Ownership
/// The arguments are borrowed for the call. The caller owns the model and frees it with pt2_free().
/// The file is not kept open. `pt2_memory` says whether it stays mapped, on any device: weights may
/// be read and reset later (pt2_get_parameter(), pt2_reset_parameters()).
///
/// # Thread safety
/// Thread-safe. Loads may run in parallel.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_load(
    path: *const c_char,
    options: *const pt2_load_options,
    model: *mut *mut pt2_model,
) -> *mut pt2_error {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    guard(|| unsafe {
        let path = Path::new(OsStr::from_bytes(text(path, "path")?.to_bytes()));
        let options = load_options(options)?;
        usable(model, "model")?;
        let loaded = Model::load(path, &options)?;
        check()?;
        put(model, "model", pt2_model::of(loaded))
    })
}

/// Loads a model from the bytes of an archive.
///
/// Nothing is written to disk. All guarantees of pt2_load() apply.
///
/// # Parameters
/// - `data`: The bytes.
/// - `size`: The number of bytes.
/// - `options`: The options, or NULL for the defaults. Their `memory` is ignored, because the
///   bytes are always copied.
/// - `model` (out): Receives the model.
///
/// # Returns
/// NULL on success. On failure, an error owned by the caller; `*model` stays unmodified.
///
/// # Ownership
/// The arguments are borrowed for the call. The bytes may be changed or freed after it. The caller
/// owns the model and frees it with pt2_free(). The copy stays in host memory as long as the model
/// lives.
///
/// # Thread safety
/// Thread-safe. Loads may run in parallel. No thread may change the bytes during the call.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_load_from_memory(
    data: *const c_void,
    size: usize,
    options: *const pt2_load_options,
    model: *mut *mut pt2_model,
) -> *mut pt2_error {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
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
/// Calls in flight on other threads still finish, and the last of them releases the memory of the
/// model. Outputs and clones of the model stay valid.
///
/// # Parameters
/// - `model`: The model to free. NULL does nothing.
///
/// # Ownership
/// Takes ownership of `model`, which must not be freed again.
///
/// # Thread safety
/// Any thread may free a model, also while calls with it are in flight. Not thread-safe: no call
/// with it may begin afterwards.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_free(model: *mut pt2_model) {
    guard_quietly(|| {
        if !model.is_null() {
            // SAFETY: `pt2_model::give` made it with Box::into_raw, and the C caller frees it once.
            drop(unsafe { Box::from_raw(model) });
        }
    });
}

/// Returns the device that the model runs on, such as `cpu` or `cuda:0`.
///
/// # Parameters
/// - `model`: The model, or NULL.
///
/// # Returns
/// A NUL-terminated string. NULL for NULL.
///
/// # Ownership
/// `model` is borrowed. The string is valid as long as the model lives.
///
/// # Thread safety
/// Thread-safe.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_model_device(model: *const pt2_model) -> *const c_char {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    guard_or(std::ptr::null(), || unsafe { text_of(model, |texts| &texts.device) })
}

/// Returns the name of the model in its archive.
///
/// # Parameters
/// - `model`: The model, or NULL.
///
/// # Returns
/// A NUL-terminated string. NULL for NULL.
///
/// # Ownership
/// `model` is borrowed. The string is valid as long as the model lives.
///
/// # Thread safety
/// Thread-safe.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_model_name(model: *const pt2_model) -> *const c_char {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    guard_or(std::ptr::null(), || unsafe { text_of(model, |texts| &texts.name) })
}

/// Returns whether the program writes to its own parameters, buffers or constants.
///
/// The results of such a program depend on earlier calls. Calls of one model therefore run one
/// after the other.
///
/// # Parameters
/// - `model`: The model, or NULL.
///
/// # Returns
/// True if the program mutates its state. False for NULL, and for compiled code in a
/// package without an exported program, because such a package does not record whether it mutates
/// state.
///
/// # Ownership
/// `model` is borrowed.
///
/// # Thread safety
/// Thread-safe.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_model_mutates(model: *const pt2_model) -> bool {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    let model = || unsafe { model.as_ref() };
    guard_or(false, || model().is_some_and(|model| !model.loaded.model.effects().state.is_empty()))
}

/// Returns the form in which the model runs.
///
/// # Parameters
/// - `model`: The model, or NULL.
///
/// # Returns
/// `PT2_FORM_EXPORTED` or `PT2_FORM_COMPILED`. 0 for NULL.
///
/// # Ownership
/// `model` is borrowed.
///
/// # Thread safety
/// Thread-safe.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_model_form(model: *const pt2_model) -> i32 {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    let model = || unsafe { model.as_ref() };
    guard_or(0, || {
        model().map_or(0, |model| match model.loaded.model.form() {
            Form::Compiled => PT2_FORM_COMPILED as i32,
            _ => PT2_FORM_EXPORTED as i32,
        })
    })
}

/// Returns a condition that calls do not check, as a sentence.
///
/// Such conditions are those of a program that cannot be decided before it runs, and those on
/// inputs that a package of compiled code does not record.
///
/// Compiled code with an exported program accepts the sizes that the program allows, as PyTorch
/// does. Its compiler may have assumed that some of these sizes do not occur, and a package does
/// not record how the compiler used the assumption. This function names those sizes. Without an
/// exported program, a package accepts only the sizes that its compiler assumed; other sizes fail
/// with `PT2_ERROR_INPUT`.
///
/// # Parameters
/// - `model`: The model, or NULL.
/// - `index`: The index of the sentence, counted from 0.
///
/// # Returns
/// A NUL-terminated string. NULL if there are no more sentences, and for NULL.
///
/// Note: Experimental: the wording of the sentences may change in any release.
///
/// # Ownership
/// `model` is borrowed. The string is valid as long as the model lives.
///
/// # Thread safety
/// Thread-safe.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_model_unchecked(model: *const pt2_model, index: usize) -> *const c_char {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    let texts = || unsafe { model.as_ref() }.map(|model| &model.loaded.texts.unchecked);
    let text = || texts().and_then(|texts| texts.get(index)).map_or(std::ptr::null(), |text| text.as_ptr());
    guard_or(std::ptr::null(), text)
}

/// # Safety
/// `model` is NULL or a model that was not freed.
unsafe fn text_of(model: *const pt2_model, pick: fn(&ModelTexts) -> &CString) -> *const c_char {
    // SAFETY: the caller upholds the conditions under "Safety".
    let model = unsafe { model.as_ref() };
    model.map_or(std::ptr::null(), |model| pick(&model.loaded.texts).as_ptr())
}
