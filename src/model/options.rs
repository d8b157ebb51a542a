//! What a caller may choose.

use crate::aoti::{Form, NativeCodeOptions};
use crate::archive::ReadOptions;
use crate::passes::Optimization;
use crate::torch::{CudaPolicy, Device};
use std::path::PathBuf;
use std::ptr;

/// How a program is loaded.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// Where it runs; None means where it was exported.
    pub device: Option<Device>,
    /// Which of the archive's models; None means the only one.
    pub model: Option<String>,
    /// How far the program may be rewritten.
    pub optimization: Optimization,
    /// How the file is read.
    pub read: ReadOptions,
    /// Operators that may run although they reach outside of tensors, as [`Policy`](crate::plan::Policy) reads
    /// them.
    pub allowed_operators: Vec<String>,
    /// Whether the first load of the process may bring CUDA in.
    pub cuda: CudaPolicy,
    /// How runs on a CUDA device are launched.
    pub cuda_graphs: CudaGraphMode,
    /// In which form a model is loaded that is there as a program and as compiled code.
    pub form: Form,
    /// What native code may do.
    pub native_code: NativeCodeOptions,
    /// Where the fastest ways to compute are kept, which then are measured on CUDA devices at the fast level; None
    /// for cuDNN's suggestions.
    pub tuning: Option<PathBuf>,
}

/// Whether runs on a CUDA device are captured as CUDA graphs: after a few calls with inputs of the same sizes,
/// strides, dtypes and numbers, later ones are one launch. The outputs have the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CudaGraphMode {
    /// Every run calls its operators one by one.
    Never,
    /// Up to so many captured graphs are kept, each with memory for its inputs and outputs; what lies between them is
    /// shared by all of a model.
    UpTo(usize),
}

impl Default for CudaGraphMode {
    fn default() -> CudaGraphMode {
        CudaGraphMode::UpTo(16)
    }
}

/// How a program is run.
#[derive(Clone, Copy, Debug)]
pub struct RunOptions {
    /// A `cudaStream_t` on which all work is queued; NULL means the calling thread's current stream.
    pub stream: *mut libc::c_void,
}

impl Default for RunOptions {
    fn default() -> RunOptions {
        RunOptions { stream: ptr::null_mut() }
    }
}
