//! CUDA graphs: kernels captured once and launched as one.

use super::failure::check;
use super::{Device, Failure, Scope, ffi};
use pt2_format::Result;
use std::ptr::{self, NonNull};

/// A stream to capture on, and a memory pool that only captured graphs use. One thread captures at a time.
#[derive(Debug)]
pub struct Capturer {
    raw: NonNull<ffi::Capturer>,
    device: Device,
}

// SAFETY: the stream and the pool belong to no thread, and every method that changes something takes `&mut`.
unsafe impl Send for Capturer {}

/// Captured kernels with the memory they work in.
#[derive(Debug)]
pub struct CudaGraph(NonNull<ffi::CudaGraph>);

// SAFETY: launching reads it only, and it belongs to no thread.
unsafe impl Send for CudaGraph {}

/// The capturer's stream as this thread's current one, and its pool as where new tensors on it lie.
#[derive(Debug)]
pub struct CaptureSession<'a> {
    capturer: &'a mut Capturer,
    scope: Scope,
    captured: bool,
}

/// Whether someone captures what this thread queues on its current stream of the device.
pub fn is_capturing(device: Device) -> Result<bool, Failure> {
    let mut captured = false;
    // SAFETY: fills `captured` or reports an error.
    check(unsafe { ffi::shim_stream_is_capturing(device.torch_index(), &mut captured) })?;
    Ok(captured)
}

impl Capturer {
    /// Fails where there is no CUDA.
    pub fn new(device: Device) -> Result<Capturer, Failure> {
        let mut raw = ptr::null_mut();
        // SAFETY: fills `raw` or reports an error.
        check(unsafe { ffi::shim_capturer_new(device.torch_index(), &mut raw) })?;
        NonNull::new(raw).map(|raw| Capturer { raw, device }).ok_or_else(Failure::exhausted)
    }

    /// Makes the stream current until the session is dropped. What ran on other streams must have been waited
    /// for by [`Event::block`](super::Event::block) inside.
    pub fn open(&mut self) -> Result<CaptureSession<'_>, Failure> {
        // SAFETY: the capturer is valid.
        let stream = unsafe { ffi::shim_capturer_stream(self.raw.as_ptr()) };
        let scope = Scope::enter(self.device, stream)?;
        // SAFETY: as above.
        check(unsafe { ffi::shim_capturer_open(self.raw.as_ptr()) })?;
        Ok(CaptureSession { capturer: self, scope, captured: false })
    }
}

impl Drop for Capturer {
    fn drop(&mut self) {
        // SAFETY: this value owns the capturer.
        unsafe { ffi::shim_capturer_free(self.raw.as_ptr()) }
    }
}

impl CaptureSession<'_> {
    /// Proof that the capturer's stream is current.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Captures what `work` queues, which does not run, and gives it with what `work` returned. Work that waits
    /// for the device cannot be captured. On an error nothing is left behind.
    pub fn capture<T>(mut self, work: impl FnOnce(&Scope) -> Result<T>) -> Result<(CudaGraph, T)> {
        let capturer = self.capturer.raw.as_ptr();
        // SAFETY: the capturer is valid and its stream is current.
        check(unsafe { ffi::shim_capture_begin(capturer) }).map_err(Failure::outside_node)?;
        let result = work(&self.scope).inspect_err(|_| {
            // SAFETY: the capture began above.
            unsafe { ffi::shim_capture_abandon(capturer) }
        })?;
        let mut raw = ptr::null_mut();
        // SAFETY: the capture began above; fills `raw` or reports an error.
        check(unsafe { ffi::shim_capture_end(capturer, &mut raw) }).map_err(Failure::outside_node)?;
        self.captured = true;
        let cuda_graph = NonNull::new(raw).map(CudaGraph).ok_or_else(Failure::exhausted);
        Ok((cuda_graph.map_err(Failure::outside_node)?, result))
    }
}

impl Drop for CaptureSession<'_> {
    fn drop(&mut self) {
        // SAFETY: the session opened the capturer. An error here means that the allocator had forgotten it.
        let _ = check(unsafe { ffi::shim_capturer_close(self.capturer.raw.as_ptr(), self.captured) });
    }
}

impl CudaGraph {
    /// Queues the kernels on this thread's current stream of the device. The scope is proof that it is current.
    pub fn launch(&self, _scope: &Scope) -> Result<(), Failure> {
        // SAFETY: the captured graph is valid.
        check(unsafe { ffi::shim_cuda_graph_launch(self.0.as_ptr()) })
    }
}

impl Drop for CudaGraph {
    fn drop(&mut self) {
        // SAFETY: this value owns the captured graph; whoever drops it has waited for its last launch.
        unsafe { ffi::shim_cuda_graph_free(self.0.as_ptr()) }
    }
}
