//! Options of loading and running.

use crate::aoti::{Form, NativeCodeOptions};
use crate::archive::ReadOptions;
use crate::passes::Optimization;
use crate::torch::{CudaPolicy, Device};
use std::path::PathBuf;
use std::ptr;

/// Options of loading a model.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// Device to run on; None for the device recorded at export.
    pub device: Option<Device>,
    /// Name of the model in the archive; None for the only one.
    pub model: Option<String>,
    /// Level of optimisation.
    pub optimization: Optimization,
    /// Options of reading the file.
    pub read: ReadOptions,
    /// Operators that are allowed although they reach outside of tensors, in the syntax of
    /// [`Policy`](crate::plan::Policy).
    pub allowed_operators: Vec<String>,
    /// Policy for loading CUDA at the first load of the process.
    pub cuda: CudaPolicy,
    /// Use of CUDA graphs on a CUDA device.
    pub cuda_graphs: CudaGraphMode,
    /// Form to load if the archive has both a program and compiled code.
    pub form: Form,
    /// Options of native code.
    pub native_code: NativeCodeOptions,
    /// Folder of the tuning cache, which also enables autotuning on CUDA devices at the fast level.
    ///
    /// None for cuDNN's heuristic choices.
    pub tuning: Option<PathBuf>,
}

/// Use of CUDA graphs on a CUDA device.
///
/// After a few calls with inputs of the same sizes, strides, dtypes and numbers, later ones are one
/// launch. The outputs are bitwise equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CudaGraphMode {
    /// Every run calls its operators one by one.
    Never,
    /// Largest number of CUDA graphs. Each holds memory for inputs and outputs; all graphs of a
    /// model share the rest.
    UpTo(usize),
}

impl Default for CudaGraphMode {
    fn default() -> CudaGraphMode {
        CudaGraphMode::UpTo(16)
    }
}

/// Options of a run.
#[derive(Clone, Copy, Debug)]
pub struct RunOptions {
    /// The `cudaStream_t` that all work is queued on; NULL for the calling thread's current stream.
    pub stream: *mut libc::c_void,
}

impl Default for RunOptions {
    fn default() -> RunOptions {
        RunOptions { stream: ptr::null_mut() }
    }
}
