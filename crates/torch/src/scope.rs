//! What libtorch keeps per thread, changed for a while and put back.

use super::failure::check;
use super::{Device, Failure, ffi};
use libc::c_void;
use std::marker::PhantomData;
use std::ptr;

/// Inference mode, the current device and the caller's stream; as they were when it is dropped.
#[derive(Debug)]
pub struct Scope {
    raw: *mut ffi::Scope,
    _one_thread: PhantomData<*const ()>,
}

impl Scope {
    /// `stream` is a `cudaStream_t`, or NULL for the thread's current stream; ignored on the CPU.
    pub fn enter(device: Device, stream: *mut c_void) -> Result<Scope, Failure> {
        // Whoever runs on either device need not tell them apart.
        let stream = if device == Device::Cpu { ptr::null_mut() } else { stream };
        let mut raw = ptr::null_mut();
        // SAFETY: the stream is the caller's to vouch for; the shim only makes it current.
        check(unsafe { ffi::shim_scope_enter(device.torch_type(), device.torch_index(), stream, &mut raw) })?;
        Ok(Scope { raw, _one_thread: PhantomData })
    }

    /// Whether this thread read weights since, to keep them in another order.
    pub fn has_prepacked(&self) -> bool {
        // SAFETY: this value owns the scope and has not left its thread.
        unsafe { ffi::shim_scope_has_prepacked(self.raw) }
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        // SAFETY: this value owns the scope and has not left its thread.
        unsafe { ffi::shim_scope_leave(self.raw) }
    }
}

/// A stream of our own as this thread's current one, for copies beside other work.
#[derive(Debug)]
pub struct SideStream {
    raw: *mut ffi::SideStream,
    device: Device,
    _one_thread: PhantomData<*const ()>,
}

impl SideStream {
    /// Makes one of a CUDA device current.
    pub fn enter(device: Device) -> Result<SideStream, Failure> {
        let mut raw = ptr::null_mut();
        // SAFETY: fills `raw` or reports an error.
        check(unsafe { ffi::shim_side_stream_enter(device.torch_type(), device.torch_index(), &mut raw) })?;
        Ok(SideStream { raw, device, _one_thread: PhantomData })
    }

    /// Waits for everything queued on it.
    pub fn synchronize(&self) -> Result<(), Failure> {
        self.device.synchronize()
    }
}

impl Drop for SideStream {
    fn drop(&mut self) {
        // SAFETY: this value owns the stream scope and has not left its thread.
        unsafe { ffi::shim_side_stream_leave(self.raw) }
    }
}

impl Device {
    /// Waits for everything queued on this thread's current stream of the device.
    pub fn synchronize(self) -> Result<(), Failure> {
        // SAFETY: takes numbers only.
        check(unsafe { ffi::shim_device_synchronize(self.torch_type(), self.torch_index()) })
    }
}

impl Device {
    /// Waits for everything queued on any stream of the device.
    pub fn finish(self) -> Result<(), Failure> {
        // SAFETY: takes numbers only.
        check(unsafe { ffi::shim_device_finish(self.torch_type(), self.torch_index()) })
    }

    /// Gives memory that libtorch's allocator keeps for later back to the device. Waits for queued work.
    pub fn release_cached(self) -> Result<(), Failure> {
        // SAFETY: takes numbers only.
        check(unsafe { ffi::shim_device_release_cached(self.torch_type(), self.torch_index()) })
    }
}

/// Sets how many threads one operator may use on the CPU, for the whole process.
pub fn set_threads(count: i32) {
    // SAFETY: takes a number only. libtorch refuses numbers that are not positive, and keeps the one it has.
    let _ = check(unsafe { ffi::shim_set_threads(count) });
}

/// How many threads one operator may use on the CPU.
pub fn threads() -> i32 {
    // SAFETY: takes nothing.
    unsafe { ffi::shim_threads() }
}
