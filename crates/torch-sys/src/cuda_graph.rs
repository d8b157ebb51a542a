//! CUDA graphs: capture and launch.

use crate::ShimError;
use libc::c_void;

/// Stream and memory pool in which a model captures.
pub enum Capturer {}

/// Captured kernels, with a share of the pool that holds their memory.
pub enum CudaGraph {}

unsafe extern "C" {
    /// Creates a stream and a memory pool.
    pub fn shim_capturer_new(device: i32, out: *mut *mut Capturer) -> *mut ShimError;

    /// Frees a capturer.
    pub fn shim_capturer_free(capturer: *mut Capturer);

    /// Returns the capturer's stream, a `cudaStream_t`.
    pub fn shim_capturer_stream(capturer: *const Capturer) -> *mut c_void;

    /// Makes allocations on the capturer's stream come from its pool.
    pub fn shim_capturer_open(capturer: *mut Capturer) -> *mut ShimError;

    /// Ends [`shim_capturer_open`]. `keep` passes its share of the pool to a graph.
    pub fn shim_capturer_close(capturer: *mut Capturer, keep: bool) -> *mut ShimError;

    /// Begins to capture this thread's work on the capturer's stream. Other threads are unaffected.
    pub fn shim_capture_begin(capturer: *mut Capturer) -> *mut ShimError;

    /// Ends a capture and instantiates its graph.
    pub fn shim_capture_end(capturer: *mut Capturer, out: *mut *mut CudaGraph) -> *mut ShimError;

    /// Ends a capture that failed.
    pub fn shim_capture_abandon(capturer: *mut Capturer);

    /// Launches a graph on the thread's current stream.
    pub fn shim_cuda_graph_launch(cuda_graph: *const CudaGraph) -> *mut ShimError;

    /// Frees a graph, which must not be running.
    pub fn shim_cuda_graph_free(cuda_graph: *mut CudaGraph);

    /// Returns true if the thread's current stream of a device is being captured.
    pub fn shim_stream_is_capturing(device: i32, out: *mut bool) -> *mut ShimError;
}
