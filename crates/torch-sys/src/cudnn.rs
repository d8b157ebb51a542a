//! cuDNN's convolutions: warm-up and autotuning.

use crate::ShimError;
use libc::{c_char, c_void};

/// cuDNN convolution of two spatial dimensions, with the operations fused into it.
#[repr(C)]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WarmupConv {
    /// Dtype of all tensors, by its number in libtorch (`c10::ScalarType`).
    pub dtype: i32,
    /// Sizes of the input.
    pub input: [i64; 4],
    /// Sizes of the weight.
    pub weight: [i64; 4],
    /// Stride of each spatial dimension.
    pub stride: [i64; 2],
    /// Padding of each spatial dimension.
    pub padding: [i64; 2],
    /// Dilation of each spatial dimension.
    pub dilation: [i64; 2],
    /// Number of groups of channels.
    pub groups: i64,
    /// True if the memory format is channels-last.
    pub channels_last: bool,
    /// True if a bias is added to each channel.
    pub bias: bool,
    /// True if another tensor is added to the result.
    pub other: bool,
    /// True if ReLU follows.
    pub relu: bool,
}

unsafe extern "C" {
    /// Runs a convolution on uninitialised memory, which loads its library and kernels. Inside a scope.
    pub fn shim_cudnn_warm_up(device: i32, warmup: *const WarmupConv) -> *mut ShimError;

    /// Adds a line `key engine knob=value …` of a tuning cache; returns false if it is malformed.
    pub fn shim_cudnn_load_tuning(device: i32, line: *const c_char, length: usize) -> bool;

    /// Returns the number of autotuned convolutions.
    pub fn shim_cudnn_tuned_count() -> u64;

    /// Returns cuDNN's version; 0 without cuDNN.
    pub fn shim_cudnn_version() -> usize;

    /// Calls `take` with each line of a device's tuning cache.
    pub fn shim_cudnn_each_tuning(
        device: i32,
        take: unsafe extern "C" fn(context: *mut c_void, line: *const c_char, length: usize),
        context: *mut c_void,
    ) -> *mut ShimError;
}
