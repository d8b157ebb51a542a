//! CUDA graphs: kernels captured once and launched as one.

use super::failure::check;
use super::{Device, Failure, Scope, ffi};
use pt2_format::Result;
use std::ptr::{self, NonNull};

/// Stream to capture on, and a memory pool that only CUDA graphs use. One thread captures at a
/// time.
#[derive(Debug)]
pub struct Capturer {
    raw: NonNull<ffi::Capturer>,
    device: Device,
}

// SAFETY: stream and pool are not bound to a thread, and methods that change them take `&mut`.
unsafe impl Send for Capturer {}

/// Captured kernels with the memory that they use.
#[derive(Debug)]
pub struct CudaGraph(NonNull<ffi::CudaGraph>);

// SAFETY: launching only reads the graph, which is not bound to a thread.
unsafe impl Send for CudaGraph {}

/// Session in which the capturer's stream is current and new tensors on it are allocated from its
/// pool.
#[derive(Debug)]
pub struct CaptureSession<'a> {
    capturer: &'a mut Capturer,
    scope: Scope,
    captured: bool,
}

/// Returns true if this thread's current stream of the device is being captured.
pub fn is_capturing(device: Device) -> Result<bool, Failure> {
    let mut captured = false;
    // SAFETY: the call fills `captured` or returns an error.
    check(unsafe { ffi::shim_stream_is_capturing(device.torch_index(), &mut captured) })?;
    Ok(captured)
}

impl Capturer {
    /// Creates a capturer. Fails without CUDA.
    pub fn new(device: Device) -> Result<Capturer, Failure> {
        let mut raw = ptr::null_mut();
        // SAFETY: the call fills `raw` or returns an error.
        check(unsafe { ffi::shim_capturer_new(device.torch_index(), &mut raw) })?;
        NonNull::new(raw).map(|raw| Capturer { raw, device }).ok_or_else(Failure::exhausted)
    }

    /// Makes the stream current until the session is dropped.
    ///
    /// The caller must wait in the session for earlier work on other streams, with
    /// [`Event::block`](super::Event::block).
    pub fn open(&mut self) -> Result<CaptureSession<'_>, Failure> {
        // SAFETY: the capturer is valid.
        let stream = unsafe { ffi::shim_capturer_stream(self.raw.as_ptr()) };
        let scope = Scope::enter(self.device, stream)?;
        // SAFETY: the capturer is valid.
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
    /// Returns the scope in which the capturer's stream is current.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Captures the work that `work` queues, without running it. Returns the graph with the result
    /// of `work`.
    ///
    /// Work that waits for the device cannot be captured. An error leaves no capture behind.
    pub fn capture<T>(mut self, work: impl FnOnce(&Scope) -> Result<T>) -> Result<(CudaGraph, T)> {
        let capturer = self.capturer.raw.as_ptr();
        // SAFETY: the capturer is valid and its stream is current.
        check(unsafe { ffi::shim_capture_begin(capturer) }).map_err(Failure::outside_node)?;
        let result = work(&self.scope).inspect_err(|_| {
            // SAFETY: the capture began above and has not ended.
            unsafe { ffi::shim_capture_abandon(capturer) }
        })?;
        let mut raw = ptr::null_mut();
        // SAFETY: the capture began above. The call fills `raw` or returns an error.
        check(unsafe { ffi::shim_capture_end(capturer, &mut raw) }).map_err(Failure::outside_node)?;
        self.captured = true;
        let cuda_graph = NonNull::new(raw).map(CudaGraph).ok_or_else(Failure::exhausted);
        Ok((cuda_graph.map_err(Failure::outside_node)?, result))
    }
}

impl Drop for CaptureSession<'_> {
    fn drop(&mut self) {
        // SAFETY: the session opened the capturer. An error means that the allocator no longer
        // knows the pool.
        let _ = check(unsafe { ffi::shim_capturer_close(self.capturer.raw.as_ptr(), self.captured) });
    }
}

impl CudaGraph {
    /// Queues the kernels on this thread's current stream of the device, as the scope proves.
    pub fn launch(&self, _scope: &Scope) -> Result<(), Failure> {
        // SAFETY: the graph is valid.
        check(unsafe { ffi::shim_cuda_graph_launch(self.0.as_ptr()) })
    }
}

impl Drop for CudaGraph {
    fn drop(&mut self) {
        // SAFETY: this value owns the graph, and the cache that drops it has waited for the last
        // launch.
        unsafe { ffi::shim_cuda_graph_free(self.0.as_ptr()) }
    }
}
