//! Copies between devices.

use super::error::pt2_error;
use super::guard::{guard, put, required, text, usable};
use super::tensor::pt2_tensor;
use crate::torch::{Device, Scope};
use crate::{Error, Result};
use libc::{c_char, c_void};
use std::ffi::CStr;

/// The same values, dense and row-major, on another device: how inputs reach a GPU without the CUDA toolkit.
///
/// Parameters: `tensor` must not be NULL. `device` is `"cpu"`, `"cuda"` or `"cuda:N"`. `stream` is a
/// `cudaStream_t` of a CUDA device involved, on which the copy is queued; NULL means the calling thread's current
/// stream. `copy` receives a new handle.
///
/// Returns NULL, or an error, and then `copy` is untouched.
///
/// Ownership: `tensor` is borrowed, and its memory may be changed when this returns. The new handle belongs to
/// the caller, who frees it with `pt2_tensor_free`; it shares the memory of `tensor` if that is dense and on the
/// device already.
///
/// Threads: any number may read a tensor at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_tensor_to_device(
    tensor: *const pt2_tensor,
    device: *const c_char,
    stream: *mut c_void,
    copy: *mut *mut pt2_tensor,
) -> *mut pt2_error {
    // SAFETY: the caller's promises.
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
