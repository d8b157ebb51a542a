//! Options of load and run.

use super::guard::{array, optional_text, required_text, text};
use super::versioned_struct::{self, Versioned};
use crate::archive::{MemoryMode, ReadOptions};
use crate::model::{CudaGraphMode, Form, LoadOptions, NativeCodeOptions, Optimization, RunOptions};
use crate::torch::CudaPolicy;
use crate::{Error, Result};
use libc::{c_char, c_void};
use std::ffi::OsStr;
use std::mem::offset_of;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// The optimisation level: how far the optimiser may rewrite a program before it runs.
///
/// Since 0.1.0.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub enum pt2_optimization {
    /// The default of the library: `PT2_OPTIMIZATION_FAST`.
    /// Since 0.1.0.
    PT2_OPTIMIZATION_DEFAULT = 0,
    /// Outputs are bit-for-bit those of the exported program run by PyTorch on the same
    /// device.
    /// Since 0.1.0.
    PT2_OPTIMIZATION_EXACT = 1,
    /// Operations may be regrouped at the same precision settings. The error of outputs is at
    /// most twice that of PyTorch with its convolutions in either memory format, plus two
    /// roundings. Sizes, strides and dtypes are the same.
    /// Since 0.1.0.
    PT2_OPTIMIZATION_FAST = 2,
}

/// The storage of the archive's bytes, while the model or an output that shares its weights
/// is alive.
///
/// Since 0.1.0.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub enum pt2_memory {
    /// `PT2_MEMORY_COPY` if another user may change the file, else `PT2_MEMORY_MAP`. Another
    /// user may change it if group or others may write it, or if its owner is neither this user nor
    /// root. A file on a network or FUSE file system counts as such a file.
    /// Since 0.1.0.
    PT2_MEMORY_AUTO = 0,
    /// Private pages of the file. Loading takes no copy and shares the page cache. Writes
    /// never reach the file. Pages of weights that the load rewrote are released. While the model
    /// or any of its outputs is alive, the file must not shrink (SIGBUS) and must not be written.
    /// Since 0.1.0.
    PT2_MEMORY_MAP = 1,
    /// A copy of the file. The file may change or vanish after `pt2_load` has returned.
    /// Since 0.1.0.
    PT2_MEMORY_COPY = 2,
}

/// The form of a model. An archive may hold an exported program, code compiled from it, or
/// both.
///
/// Since 0.1.0.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub enum pt2_form {
    /// The compiled form if `allow_native_code` is set and the code fits this machine and
    /// the requested device. Otherwise the exported program.
    /// Since 0.1.0.
    PT2_FORM_AUTO = 0,
    /// The exported program.
    /// Since 0.1.0.
    PT2_FORM_EXPORTED = 1,
    /// Code compiled by AOTInductor (`torch._inductor.aoti_compile_and_package`).
    /// Since 0.1.0.
    PT2_FORM_COMPILED = 2,
}

/// Options for loading a model.
///
/// Set all bytes to zero and `struct_size` to `sizeof(pt2_load_options)`. Zero means the default in
/// every field. The call borrows all pointers and copies their contents.
///
/// Since 0.1.0.
#[repr(C)]
#[derive(Debug)]
pub struct pt2_load_options {
    /// `sizeof(pt2_load_options)`.
    /// Since 0.1.0.
    pub struct_size: usize,
    /// The device to run on: `"cpu"`, `"cuda"` (the first device) or `"cuda:N"`. NULL for
    /// the device that the program was exported on.
    ///
    /// A program exported on one device loads on any other. All devices in the program become this
    /// one. Sizes and dtypes of outputs are those recorded in the archive; strides are those that
    /// the kernels of the device choose. If the device has no kernel for an operator, and other
    /// operators cannot express it, the load fails with `PT2_ERROR_UNSUPPORTED`.
    /// Since 0.1.0.
    pub device: *const c_char,
    /// The name of the model in an archive that holds several. NULL for the only one.
    /// Since 0.1.0.
    pub model: *const c_char,
    /// The optimisation level, a `pt2_optimization`.
    /// Since 0.1.0.
    pub optimization: i32,
    /// The storage of the archive's bytes, a `pt2_memory`.
    /// Since 0.1.0.
    pub memory: i32,
    /// Not 0 to skip the comparison of stored checksums. Damaged weights then load without
    /// an error.
    /// Since 0.1.0.
    pub skip_checksums: i32,
    /// Not 0 to leave libtorch's CUDA library unloaded. Only the first load of a process
    /// decides this. Afterwards, loading on `"cuda"` fails for the life of the process.
    /// Since 0.1.0.
    pub without_cuda: i32,
    /// Operators to permit that are refused by default. NULL for none. Without permission, a
    /// program that calls one is refused with `PT2_ERROR_FORBIDDEN_OPERATOR`, and the message gives
    /// the reason.
    ///
    /// Operators are refused by default for one of three reasons:
    ///
    /// - They reach outside of tensors: they open files, print or communicate with other processes.
    /// - They come from a library that was not loaded with pt2_load_op_library().
    /// - One crafted argument makes them corrupt memory, and no exported model uses them. Examples
    ///   are unchecked constructors of sparse tensors, and backward functions of losses and
    ///   poolings.
    ///
    /// Each entry is an operator as the error spells it, or its name without the overload for all
    /// of its overloads. It may also be a namespace followed by two colons and an asterisk.
    /// Since 0.1.0.
    pub allowed_operators: *const *const c_char,
    /// The number of strings in `allowed_operators`.
    /// Since 0.1.0.
    pub allowed_operator_count: usize,
    /// The maximum number of CUDA graphs to keep. 0 for the default (16), negative for none.
    /// Ignored on the CPU.
    ///
    /// After a few calls with inputs of the same sizes, strides, dtypes and numbers, the run is
    /// captured as a CUDA graph. Later calls of that kind are one launch, with the same bits in the
    /// outputs. Each graph keeps memory for its inputs and outputs. All graphs of a model share the
    /// memory for intermediate values. pt2_model_statistics() reports the captures.
    /// Since 0.1.0.
    pub cuda_graphs: i64,
    /// Not 0 to permit code compiled by AOTInductor. Loading such code executes it with all
    /// the rights of this process. Without permission, an archive that holds nothing else is
    /// refused with `PT2_ERROR_NATIVE_CODE`.
    /// Since 0.1.0.
    pub allow_native_code: i32,
    /// The form to load, a `pt2_form`.
    /// Since 0.1.0.
    pub form: i32,
    /// The SHA-256 that the native code must have, in 64 hexadecimal digits. NULL for any.
    /// If it is set, the load either uses the compiled form or fails.
    ///
    /// The digest is compared with the bytes that are then executed, which are those of the shared
    /// library. If the archive brings CUDA kernels in files of their own, it is the SHA-256 of one
    /// line for each file. Each line is `<SHA-256>  <file name>`, for the library and the kernels,
    /// in the order of the file names. `pt2 inspect` prints the digest.
    /// Since 0.1.0.
    pub native_code_sha256: *const c_char,
    /// The maximum number of concurrent calls of compiled code. Other calls wait in order of
    /// arrival. 0 for the default: on the CPU the number of cores but at most 8, on CUDA 1.
    ///
    /// Code that writes to its own buffers always has 1. A package without an exported program does
    /// not record whether its code does so. Its default is 1; by any other number the caller
    /// vouches that the code may run concurrently.
    /// Since 0.1.0.
    pub instances: usize,
    /// An existing folder for links to CUDA kernels. NULL for the system's folder for
    /// temporary files. A folder of links is kept in it while the model is alive. No other part of
    /// compiled code is ever a file.
    /// Since 0.1.0.
    pub kernel_folder: *const c_char,
    /// An existing writable folder for autotuning results. NULL for no autotuning. Ignored
    /// on the CPU, at `PT2_OPTIMIZATION_EXACT` and for compiled code.
    ///
    /// With a folder, cuDNN's algorithms for each convolution are autotuned on the CUDA device. The
    /// first call with inputs of new sizes measures them, which takes seconds. Later calls use the
    /// fastest. The results are kept in a file for the GPU, the versions of libtorch and cuDNN, and
    /// the program. Later processes read that file and measure nothing.
    ///
    /// Note: Experimental: the format of the file may change in any release.
    /// Since 0.1.0.
    pub tuning_folder: *const c_char,
}

/// Version 1 ends before `allowed_operators`, version 2 before `cuda_graphs`, version 3 before `allow_native_code`,
/// version 4 before `tuning_folder`.
const LOAD_OPTIONS_1: usize = offset_of!(pt2_load_options, allowed_operators);
const LOAD_OPTIONS_2: usize = offset_of!(pt2_load_options, cuda_graphs);
const LOAD_OPTIONS_3: usize = offset_of!(pt2_load_options, allow_native_code);
const LOAD_OPTIONS_4: usize = offset_of!(pt2_load_options, tuning_folder);

// SAFETY: repr(C), begins with its size, and zero is valid for pointers and integers.
unsafe impl Versioned for pt2_load_options {
    const ARGUMENT: &'static str = "options";
    const SIZES: &'static [usize] =
        &[LOAD_OPTIONS_1, LOAD_OPTIONS_2, LOAD_OPTIONS_3, LOAD_OPTIONS_4, size_of::<Self>()];
}

/// Options for one run of a model.
///
/// Set all bytes to zero and `struct_size` to `sizeof(pt2_run_options)`.
///
/// Since 0.1.0.
#[repr(C)]
#[derive(Debug)]
pub struct pt2_run_options {
    /// `sizeof(pt2_run_options)`.
    /// Since 0.1.0.
    pub struct_size: usize,
    /// The `cudaStream_t` of the model's device on which all work is queued. NULL for the
    /// current libtorch stream of the calling thread, which is the default stream unless the host
    /// changed it. Ignored on the CPU.
    /// Since 0.1.0.
    pub stream: *mut c_void,
}

// SAFETY: as above.
unsafe impl Versioned for pt2_run_options {
    const ARGUMENT: &'static str = "options";
    const SIZES: &'static [usize] = &[size_of::<Self>()];
}

/// # Safety
/// `options` is NULL or leads to as many readable bytes as its first field says; its strings are readable.
pub(super) unsafe fn load_options(options: *const pt2_load_options) -> Result<LoadOptions> {
    // SAFETY: the caller upholds the conditions under "Safety".
    let (given, device, model, allowed, native_code, tuning) = unsafe {
        let given = versioned_struct::read(options)?;
        let device = optional_text(given.device, "options.device")?;
        let model = optional_text(given.model, "options.model")?;
        let allowed = texts(given.allowed_operators, given.allowed_operator_count)?;
        let native_code = native_code_options(&given)?;
        let tuning = folder(given.tuning_folder, "options.tuning_folder")?;
        (given, device, model, allowed, native_code, tuning)
    };
    let device = device.map(str::parse).transpose();
    Ok(LoadOptions {
        device: device.map_err(|reason| Error::Argument { argument: "options.device", reason })?,
        model: model.map(str::to_owned),
        optimization: optimization(given.optimization)?,
        read: ReadOptions { memory: memory(given.memory)?, verify: given.skip_checksums == 0 },
        allowed_operators: allowed,
        cuda_graphs: cuda_graph_mode(given.cuda_graphs),
        form: form(given.form)?,
        native_code,
        tuning,
        cuda: if given.without_cuda == 0 { CudaPolicy::Auto } else { CudaPolicy::Never },
    })
}

/// # Safety
/// `first` is NULL or leads to `count` strings.
unsafe fn texts(first: *const *const c_char, count: usize) -> Result<Vec<String>> {
    const ARGUMENT: &str = "options.allowed_operators";
    /// More than any libtorch has operators: a larger number is memory that was never initialised.
    const MOST: usize = 1 << 16;
    if count > MOST {
        return Err(Error::Argument { argument: ARGUMENT, reason: format!("{count} are too many") });
    }
    // SAFETY: the caller upholds the conditions under "Safety".
    unsafe {
        let texts = array(first, count, ARGUMENT)?;
        texts.iter().map(|text| required_text(*text, ARGUMENT).map(str::to_owned)).collect()
    }
}

/// # Safety
/// `options` is NULL or leads to as many readable bytes as its first field says.
pub(super) unsafe fn run_options(options: *const pt2_run_options) -> Result<RunOptions> {
    // SAFETY: the caller upholds the conditions under "Safety".
    unsafe { versioned_struct::read(options) }.map(|given| RunOptions { stream: given.stream })
}

fn optimization(number: i32) -> Result<Optimization> {
    match number {
        0 | 2 => Ok(Optimization::Fast),
        1 => Ok(Optimization::Exact),
        _ => Err(unknown("options.optimization", number)),
    }
}

/// # Safety
/// The strings of `given` are readable.
unsafe fn native_code_options(given: &pt2_load_options) -> Result<NativeCodeOptions> {
    const SHA256: &str = "options.native_code_sha256";
    // SAFETY: the caller upholds the conditions under "Safety".
    let (digest, folder) = unsafe {
        (
            optional_text(given.native_code_sha256, SHA256)?,
            folder(given.kernel_folder, "options.kernel_folder")?,
        )
    };
    let digest = digest.map(str::parse).transpose();
    Ok(NativeCodeOptions {
        allowed: given.allow_native_code != 0,
        digest: digest.map_err(|reason| Error::Argument { argument: SHA256, reason })?,
        instances: (given.instances > 0).then_some(given.instances),
        folder,
    })
}

/// # Safety
/// `path` is NULL or a string.
unsafe fn folder(path: *const c_char, argument: &'static str) -> Result<Option<PathBuf>> {
    // SAFETY: the caller upholds the conditions under "Safety".
    let path = (!path.is_null()).then(|| unsafe { text(path, argument) }).transpose()?;
    Ok(path.map(|path| OsStr::from_bytes(path.to_bytes()).into()))
}

fn form(number: i32) -> Result<Form> {
    match number {
        0 => Ok(Form::Auto),
        1 => Ok(Form::Exported),
        2 => Ok(Form::Compiled),
        _ => Err(unknown("options.form", number)),
    }
}

fn cuda_graph_mode(number: i64) -> CudaGraphMode {
    match usize::try_from(number) {
        Ok(0) => CudaGraphMode::default(),
        Ok(limit) => CudaGraphMode::UpTo(limit),
        Err(_) => CudaGraphMode::Never,
    }
}

fn memory(number: i32) -> Result<MemoryMode> {
    match number {
        0 => Ok(MemoryMode::Auto),
        1 => Ok(MemoryMode::Map),
        2 => Ok(MemoryMode::Copy),
        _ => Err(unknown("options.memory", number)),
    }
}

fn unknown(argument: &'static str, number: i32) -> Error {
    Error::Argument { argument, reason: format!("{number} is none of its values") }
}
