//! Libraries of operators.

use super::error::pt2_error;
use super::guard::{guard, text};
use crate::torch;
use libc::c_char;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Loads a library that registers operators with libtorch, such as torchvision's. Programs that are loaded
/// afterwards may call what it brings.
///
/// Parameters: `path` is the file, a NUL-terminated string in the bytes of the file system; no folders are searched.
/// The library must fit the libtorch in this process and may need no Python.
///
/// Returns NULL, or an error with what the dynamic loader says; it names the library that is missing where the file needs
/// one that is not found. A library that the process had loaded before by
/// other means brings nothing new: name its operators in `allowed_operators` of `pt2_load_options`.
///
/// libtorch ends the process if two libraries define the same namespace, for the dynamic loader lets no exception
/// of a library's initialisers through.
///
/// Ownership: `path` is borrowed for the call. The library stays for the life of the process. Its code runs with
/// all the rights of the process, from this call on.
///
/// Threads: any thread; libraries are loaded one after the other. As the first call of a process it lets libtorch
/// load its CUDA library where there is a driver.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_load_op_library(path: *const c_char) -> *mut pt2_error {
    // SAFETY: the caller's promise.
    guard(|| unsafe {
        let path = text(path, "path")?.to_bytes();
        torch::load_op_library(Path::new(OsStr::from_bytes(path)))
    })
}
