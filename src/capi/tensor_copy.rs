//! Copies between devices.

use super::error::pt2_error;
use super::guard::{guard, put, required, text, usable};
use super::tensor::pt2_tensor;
use crate::torch::{Device, Scope};
use crate::{Error, Result};
use libc::{c_char, c_void};
use std::ffi::CStr;

/// Returns a contiguous tensor on another device with the same values.
///
/// With this function inputs reach a GPU without the CUDA toolkit.
///
/// # Parameters
/// - `tensor`: The tensor. Must not be NULL.
/// - `device`: The target device: `"cpu"`, `"cuda"` or `"cuda:N"`.
/// - `stream`: The `cudaStream_t` of one of the CUDA devices involved, on which the copy is
///   queued. NULL for the current stream of the calling thread.
/// - `copy` (out): Receives a new handle.
///
/// # Returns
/// NULL on success. On failure, an error owned by the caller; `*copy` stays unmodified.
///
/// # Ownership
/// `tensor` is borrowed, and its memory may be changed after the call. The caller owns the new
/// handle and frees it with pt2_tensor_free(). It shares the memory of `tensor` if that is
/// contiguous and on the device already.
///
/// # Thread safety
/// Thread-safe: any number of threads may read a tensor at the same time.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_tensor_to_device(
    tensor: *const pt2_tensor,
    device: *const c_char,
    stream: *mut c_void,
    copy: *mut *mut pt2_tensor,
) -> *mut pt2_error {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    guard(|| unsafe {
        let source = required(tensor, "tensor")?.share();
        let target = named(text(device, "device")?)?;
        usable(copy, "copy")?;
        let from = source.view().device.unwrap_or(Device::Cpu);
        let busy = if target == Device::Cpu { from } else { target };
        let _scope = Scope::enter(busy, stream).map_err(|failure| failure.outside_node())?;
        let copied = source.dense_on(target).map_err(|failure| failure.outside_node())?;
        put(copy, "copy", pt2_tensor::give(copied, stream))
    })
}

fn named(text: &CStr) -> Result<Device> {
    let refuse = |reason| Error::Argument { argument: "device", reason };
    let text = text.to_str().map_err(|_| refuse("it is not UTF-8".into()))?;
    let device: Device = text.parse().map_err(refuse)?;
    device.require().map(|()| device)
}
