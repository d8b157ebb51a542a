//! Devices, and settings of libtorch for the process.

use crate::ShimError;
use libc::c_char;

unsafe extern "C" {
    /// Blocks until all work on the thread's current stream of a device is done.
    pub fn shim_device_synchronize(device_type: i32, device_index: i32) -> *mut ShimError;

    /// Blocks until all work of all streams of a device is done.
    pub fn shim_device_finish(device_type: i32, device_index: i32) -> *mut ShimError;

    /// Frees the unused memory that libtorch caches.
    pub fn shim_device_release_cached(device_type: i32, device_index: i32) -> *mut ShimError;

    /// Returns the number of CUDA devices. The first call starts CUDA, and libtorch keeps its result.
    pub fn shim_cuda_device_count() -> i32;

    /// Writes the versions of CUDA's runtime and of cuDNN that libtorch uses, such as 13000 and
    /// 91002. The second is 0 without cuDNN. Returns false if libtorch has no CUDA in this process.
    pub fn shim_cuda_versions(runtime: *mut i64, cudnn: *mut i64) -> bool;

    /// Disables oneDNN for the process.
    pub fn shim_disable_onednn();

    /// Sets the number of threads of an operator.
    pub fn shim_set_threads(count: i32) -> *mut ShimError;

    /// Returns the number of threads of an operator.
    pub fn shim_threads() -> i32;

    /// Returns the version of the libtorch in this process; empty if it is unknown.
    pub fn shim_libtorch_version(length: *mut usize) -> *const c_char;
    /// Returns the ABI version of the headers that the shim was compiled against.
    pub fn shim_headers_version() -> u64;
}
