//! Tensors of `tch`, whose operators are the reference for libpt2's results.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use pt2::torch::Tensor;

/// Returns the same tensor for calls of `tch`.
pub fn as_tch(tensor: &Tensor) -> tch::Tensor {
    // SAFETY: both crates hold an `at::Tensor` of the same libtorch, and the call only counts a reference.
    unsafe { tch::Tensor::clone_from_ptr(tensor.as_ptr().cast_mut().cast()) }
}

/// Returns the same tensor for calls of libpt2.
pub fn from_tch(tensor: &tch::Tensor) -> Tensor {
    // SAFETY: as in `as_tch`.
    unsafe { Tensor::clone_from_ptr(tensor.as_ptr().cast()) }.unwrap()
}
