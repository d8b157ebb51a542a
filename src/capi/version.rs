//! Versions.

use super::error::c_text;
use super::guard::{guard_or, guard_quietly};
use crate::torch;
use libc::c_char;
use once_cell::sync::OnceCell;
use std::ffi::CString;

/// Returns the version of libpt2, such as `0.1.0`.
///
/// This function never needs libtorch.
///
/// # Returns
/// A NUL-terminated string, never NULL.
///
/// # Ownership
/// The string is static.
///
/// # Thread safety
/// Thread-safe.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn pt2_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    guard_or(VERSION.as_ptr().cast(), || VERSION.as_ptr().cast())
}

/// Returns the version of the libtorch in this process, such as `2.11.0`.
///
/// The first call of a process that needs libtorch loads it, from the folder that the environment
/// variable `PT2_LIBTORCH` names if it is set. This function does so ahead of the first load.
///
/// # Returns
/// A NUL-terminated string, never NULL.
///
/// # Ownership
/// The string is static.
///
/// # Thread safety
/// Thread-safe.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn pt2_libtorch_version() -> *const c_char {
    static TEXT: OnceCell<CString> = OnceCell::new();
    guard_or(c"".as_ptr(), || TEXT.get_or_init(|| c_text(torch::libtorch_version())).as_ptr())
}

/// Sets the number of threads that one operator may use on the CPU.
///
/// libtorch keeps one number for the whole process, so it applies to all models.
///
/// # Parameters
/// - `count`: The number of threads. Zero and negative values are ignored.
///
/// # Ownership
/// No pointers are passed.
///
/// # Thread safety
/// Any thread may call it before the first run. Not thread-safe: do not call it while a model runs.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn pt2_set_cpu_threads(count: i32) {
    guard_quietly(|| {
        if count > 0 {
            torch::set_threads(count);
        }
    });
}
