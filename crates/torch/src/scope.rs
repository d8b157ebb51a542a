//! Per-thread settings of libtorch, changed for a scope and restored.

use super::failure::check;
use super::{Device, Failure, ffi};
use libc::c_void;
use std::marker::PhantomData;
use std::ptr;

/// Inference mode, current device and current stream. Drop restores the previous ones.
#[derive(Debug)]
pub struct Scope {
    raw: *mut ffi::Scope,
    _one_thread: PhantomData<*const ()>,
}

impl Scope {
    /// Enters a scope. `stream` is a `cudaStream_t`, or NULL for the thread's current stream;
    /// ignored on the CPU.
    pub fn enter(device: Device, stream: *mut c_void) -> Result<Scope, Failure> {
        // A caller may pass its stream on either device.
        let stream = if device == Device::Cpu { ptr::null_mut() } else { stream };
        let mut raw = ptr::null_mut();
        // SAFETY: the caller of libpt2 passes NULL or a live stream, which the shim only makes
        // current.
        check(unsafe { ffi::shim_scope_enter(device.torch_type(), device.torch_index(), stream, &mut raw) })?;
        Ok(Scope { raw, _one_thread: PhantomData })
    }

    /// Returns true if this thread has prepacked weights in this scope.
    pub fn has_prepacked(&self) -> bool {
        // SAFETY: this value owns the scope and is not `Send`, so it is still on its thread.
        unsafe { ffi::shim_scope_has_prepacked(self.raw) }
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        // SAFETY: this value owns the scope and is not `Send`, so it is still on its thread.
        unsafe { ffi::shim_scope_leave(self.raw) }
    }
}

/// Separate stream as this thread's current one, for copies beside other work. Drop restores the
/// previous one.
#[derive(Debug)]
pub struct SideStream {
    raw: *mut ffi::SideStream,
    device: Device,
    _one_thread: PhantomData<*const ()>,
}

impl SideStream {
    /// Makes a separate stream of a CUDA device current.
    pub fn enter(device: Device) -> Result<SideStream, Failure> {
        let mut raw = ptr::null_mut();
        // SAFETY: the call fills `raw` or returns an error.
        check(unsafe { ffi::shim_side_stream_enter(device.torch_type(), device.torch_index(), &mut raw) })?;
        Ok(SideStream { raw, device, _one_thread: PhantomData })
    }

    /// Waits for all work queued on the stream.
    pub fn synchronize(&self) -> Result<(), Failure> {
        self.device.synchronize()
    }
}

impl Drop for SideStream {
    fn drop(&mut self) {
        // SAFETY: this value owns the stream scope and is not `Send`, so it is still on its thread.
        unsafe { ffi::shim_side_stream_leave(self.raw) }
    }
}

impl Device {
    /// Waits for all work queued on this thread's current stream of the device.
    pub fn synchronize(self) -> Result<(), Failure> {
        // SAFETY: the call takes numbers.
        check(unsafe { ffi::shim_device_synchronize(self.torch_type(), self.torch_index()) })
    }
}

impl Device {
    /// Waits for all work queued on any stream of the device.
    pub fn finish(self) -> Result<(), Failure> {
        // SAFETY: the call takes numbers.
        check(unsafe { ffi::shim_device_finish(self.torch_type(), self.torch_index()) })
    }

    /// Returns the cached memory of libtorch's allocator to the device. Waits for queued work.
    pub fn release_cached(self) -> Result<(), Failure> {
        // SAFETY: the call takes numbers.
        check(unsafe { ffi::shim_device_release_cached(self.torch_type(), self.torch_index()) })
    }
}

/// Sets the number of threads of one operator on the CPU, for the whole process.
pub fn set_threads(count: i32) {
    // SAFETY: the call takes a number. libtorch rejects numbers below 1 and keeps the previous one.
    let _ = check(unsafe { ffi::shim_set_threads(count) });
}

/// Returns the number of threads of one operator on the CPU.
pub fn threads() -> i32 {
    // SAFETY: the call takes no arguments.
    unsafe { ffi::shim_threads() }
}
