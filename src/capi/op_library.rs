//! Libraries of operators.

use super::error::pt2_error;
use super::guard::{guard, text};
use crate::torch;
use libc::c_char;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Loads a library that registers operators with libtorch, such as torchvision's.
///
/// Programs that are loaded later may call the operators. The library must fit the libtorch in this
/// process and must not need Python.
///
/// A library that the process loaded earlier by other means adds no operators here. Name its
/// operators in `allowed_operators` of `pt2_load_options`.
///
/// # Parameters
/// - `path`: The path of the file, a NUL-terminated string that is passed to the system
///   unchanged. No folders are searched.
///
/// # Returns
/// NULL on success. On failure, an error owned by the caller, with the message of the
/// dynamic loader. If the file needs a library that is not found, the error names that library.
///
/// Warning: libtorch ends the process if two libraries define the same namespace. Its check throws
/// an exception (`aten/src/ATen/core/dispatch/Dispatcher.cpp` of PyTorch 2.11), and the dynamic
/// loader lets no exception of a library's initialisers through.
///
/// # Ownership
/// `path` is borrowed for the call. The library stays loaded for the life of the process. Its code
/// runs with all the rights of the process, from this call on.
///
/// # Thread safety
/// Thread-safe. Libraries are loaded one after the other. If it is the first call of a process,
/// libtorch also loads its CUDA library where there is a driver.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_load_op_library(path: *const c_char) -> *mut pt2_error {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    guard(|| unsafe {
        let path = text(path, "path")?.to_bytes();
        torch::load_op_library(Path::new(OsStr::from_bytes(path)))
    })
}
