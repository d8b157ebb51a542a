//! Host memory that libtorch allocates.

use crate::ShimError;
use libc::c_void;

unsafe extern "C" {
    /// Installs an allocator for blocks of at least `least` bytes, once in a process.
    ///
    /// `take` returns a block of a workspace, or NULL to leave it to libtorch's allocator. `give` takes
    /// a block back, or returns false if it is not its own.
    pub fn shim_host_memory_install(
        take: unsafe extern "C" fn(workspace: *const c_void, bytes: usize) -> *mut c_void,
        give: extern "C" fn(block: *mut c_void) -> bool,
        least: usize,
    ) -> *mut ShimError;

    /// Makes this thread allocate from a workspace, or from none if NULL; returns the previous one.
    pub fn shim_host_memory_enter(workspace: *const c_void) -> *const c_void;
}
