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

/// How far a program may be rewritten before it runs.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub enum pt2_optimization {
    /// The library's choice: `PT2_OPTIMIZATION_FAST`.
    PT2_OPTIMIZATION_DEFAULT = 0,
    /// Outputs are, bit for bit, those of the exported program run by PyTorch on the same device.
    PT2_OPTIMIZATION_EXACT = 1,
    /// Operations may be regrouped at the same precision settings: outputs are as near to the true result as
    /// PyTorch's, but not the same to the last bit. Sizes, strides and dtypes are the same.
    PT2_OPTIMIZATION_FAST = 2,
}

/// Where the bytes of the archive are kept while the model, or an output that shares its weights, lives.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub enum pt2_memory {
    /// `PT2_MEMORY_MAP`, unless someone else may change the file (group or others may write it, its owner is
    /// neither this user nor root, or it lies on a network or FUSE file system): then `PT2_MEMORY_COPY`.
    PT2_MEMORY_AUTO = 0,
    /// Private pages of the file. Loads at once and shares the page cache; writes never reach the file. Pages of
    /// weights that the load rewrote are given back. While the model or any output of it lives, the file must not
    /// shrink (SIGBUS) and must not be written.
    PT2_MEMORY_MAP = 1,
    /// A copy. The file may change or vanish once `pt2_load` has returned.
    PT2_MEMORY_COPY = 2,
}

/// The form of a model: an archive may hold a program, code compiled from it, or both.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub enum pt2_form {
    /// The compiled one if `allow_native_code` is set and it fits this machine and the device that was asked for,
    /// else the exported program.
    PT2_FORM_AUTO = 0,
    /// The exported program.
    PT2_FORM_EXPORTED = 1,
    /// Code compiled by AOTInductor (`torch._inductor.aoti_compile_and_package`).
    PT2_FORM_COMPILED = 2,
}

/// How a program is loaded. Set every byte to zero and `struct_size` to `sizeof(pt2_load_options)`; zero means
/// the default in every field.
#[repr(C)]
#[derive(Debug)]
pub struct pt2_load_options {
    /// `sizeof(pt2_load_options)`.
    pub struct_size: usize,
    /// `"cpu"`, `"cuda"` (the first device) or `"cuda:N"`; NULL for the device it was exported on. A program
    /// exported on one device loads on any other. All of its devices become this one. Sizes and dtypes of its outputs
    /// are those recorded in the archive; strides are those that the device's kernels choose. Operators that the
    /// device has no kernel for, and that cannot be expressed by others, make the load fail with
    /// `PT2_ERROR_UNSUPPORTED`.
    pub device: *const c_char,
    /// The name of the model in an archive that holds several; NULL for the only one.
    pub model: *const c_char,
    /// A `pt2_optimization`.
    pub optimization: i32,
    /// A `pt2_memory`.
    pub memory: i32,
    /// Not 0: stored checksums are not compared with the bytes. Damaged weights then load silently.
    pub skip_checksums: i32,
    /// Not 0: libtorch's CUDA library is not loaded. Only the first load of a process decides this; after it,
    /// loading on `"cuda"` fails for the life of the process.
    pub without_cuda: i32,
    /// Operators that may run although they reach outside of tensors (open files, print, talk to other processes),
    /// come from a library that was not loaded on purpose, or break memory by one crafted argument and are used by
    /// no exported model (constructors of sparse tensors that check nothing, losses and poolings backward). A program
    /// that calls one without permission is refused with `PT2_ERROR_FORBIDDEN_OPERATOR`, which says why. Each is an operator as that error spells it, or without its overload for all
    /// of them, or a namespace followed by two colons and an asterisk. NULL for none.
    pub allowed_operators: *const *const c_char,
    /// How many strings `allowed_operators` holds.
    pub allowed_operator_count: usize,
    /// How many CUDA graphs may be kept: after a few calls with inputs of the same sizes, strides, dtypes and
    /// numbers, later ones are one launch with the same bits as outputs. 0 for the default (16), negative for none.
    /// Each keeps memory for its inputs and outputs; what lies between them is shared by all of a model.
    /// `pt2_model_statistics` tells what was recorded. Ignored on the CPU.
    pub cuda_graphs: i64,
    /// Not 0: code that AOTInductor compiled may be loaded, which executes it with all the rights of this process.
    /// Without it an archive that holds nothing else is refused with `PT2_ERROR_NATIVE_CODE`.
    pub allow_native_code: i32,
    /// A `pt2_form`.
    pub form: i32,
    /// The SHA-256 that the native code must have, in 64 hexadecimal digits; NULL for any. It is compared with the
    /// bytes that are then executed: those of the shared library. Where the archive brings CUDA kernels in files of
    /// their own, it is the SHA-256 of the lines `<SHA-256>  <file name>` of library and kernels, in the order of the
    /// file names. `pt2 inspect` prints it. If it is set, the compiled form is loaded or nothing.
    pub native_code_sha256: *const c_char,
    /// How many calls may be inside of compiled code at once; the others wait in the order in which they came. 0 for
    /// the default: as many as the processor has cores (at most 8) on the CPU, and 1 on CUDA. Code that writes to its
    /// own buffers has 1; so has code in an archive without its program, where nobody tells whether it does, unless
    /// another number vouches for it.
    pub instances: usize,
    /// An existing folder in which a folder of links to CUDA kernels is kept while the model lives; NULL for the
    /// system's folder of temporary files. Nothing else of compiled code is ever a file.
    pub kernel_folder: *const c_char,
    /// An existing folder that may be written; NULL for none. With it, the first call with inputs of new sizes
    /// measures on a CUDA device which of cuDNN's ways to compute each convolution is fastest, which takes seconds, and
    /// later calls use that. What was measured is kept there in a file for the GPU, the versions of libtorch and cuDNN
    /// and the program, so that later processes measure nothing. Ignored on the CPU, at `PT2_OPTIMIZATION_EXACT` and
    /// for compiled code.
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

/// How a program is run. Set every byte to zero and `struct_size` to `sizeof(pt2_run_options)`.
#[repr(C)]
#[derive(Debug)]
pub struct pt2_run_options {
    /// `sizeof(pt2_run_options)`.
    pub struct_size: usize,
    /// A `cudaStream_t` of the model's device on which all work is queued; NULL for the calling thread's
    /// current stream of libtorch, which is the default stream unless the host changed it. Ignored on the CPU.
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
    // SAFETY: the caller's promise.
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
    // SAFETY: the caller's promise.
    unsafe {
        let texts = array(first, count, ARGUMENT)?;
        texts.iter().map(|text| required_text(*text, ARGUMENT).map(str::to_owned)).collect()
    }
}

/// # Safety
/// `options` is NULL or leads to as many readable bytes as its first field says.
pub(super) unsafe fn run_options(options: *const pt2_run_options) -> Result<RunOptions> {
    // SAFETY: the caller's promise.
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
    // SAFETY: the caller's promise.
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
    // SAFETY: the caller's promise.
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
