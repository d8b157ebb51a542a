//! libtorch in this process.

use super::error::{c_text, pt2_error};
use super::guard::{guard, guard_or, text};
use crate::torch;
use libc::c_char;
use once_cell::sync::OnceCell;
use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Names the folder of the libtorch that this process uses.
///
/// Call it before the first call that needs libtorch. The folder takes precedence over all other
/// places where libtorch is looked for. Nothing is opened yet.
///
/// # Parameters
/// - `folder`: The folder, as a NUL-terminated string: `torch` of a Python package, an
///   unpacked libtorch, or the `lib` in one of them. NULL undoes an earlier call.
///
/// # Returns
/// NULL on success. On failure, an error owned by the caller: `PT2_ERROR_ARGUMENT` if the
/// folder has no libtorch, or if the process already uses another one.
///
/// # Ownership
/// `folder` is borrowed for the call. A copy is kept.
///
/// # Thread safety
/// Thread-safe.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_set_libtorch(folder: *const c_char) -> *mut pt2_error {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    guard(|| unsafe {
        if folder.is_null() {
            return Ok(());
        }
        let folder = text(folder, "folder")?.to_bytes();
        torch::require_libtorch_in(Path::new(OsStr::from_bytes(folder)))
    })
}

/// Returns a report about libtorch in this process, for people.
///
/// It lists the places where libtorch was looked for with their results, the engine, and the
/// versions of CUDA, cuDNN and the driver. It says whether these fit, and gives advice if not. Its
/// words may change in any version. The first call of a process that needs libtorch loads it; this
/// function does so, too.
///
/// # Returns
/// A NUL-terminated string of several lines, never NULL. A program asks
/// `pt2_libtorch_version()` whether libtorch could be loaded.
///
/// # Ownership
/// The string is static.
///
/// # Thread safety
/// Thread-safe.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn pt2_doctor() -> *const c_char {
    static TEXT: OnceCell<CString> = OnceCell::new();
    guard_or(c"".as_ptr(), || {
        let report = || torch::diagnosis().unwrap_or_else(|error| format!("error: {error}"));
        TEXT.get_or_init(|| c_text(&report())).as_ptr()
    })
}
