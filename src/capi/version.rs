//! Versions.

use super::error::c_text;
use super::guard::{guard_or, guard_quietly};
use crate::torch;
use libc::c_char;
use once_cell::sync::OnceCell;
use std::ffi::CString;

/// The version of libpt2, such as `0.1.0`.
///
/// Returns a text that is never NULL.
///
/// Ownership: the text is static. Threads: any number at once.
#[unsafe(no_mangle)]
pub extern "C" fn pt2_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    guard_or(VERSION.as_ptr().cast(), || VERSION.as_ptr().cast())
}

/// The version of the libtorch in this process, such as `2.11.0`.
///
/// Returns a text that is never NULL.
///
/// Ownership: the text is static. Threads: any number at once.
#[unsafe(no_mangle)]
pub extern "C" fn pt2_libtorch_version() -> *const c_char {
    static TEXT: OnceCell<CString> = OnceCell::new();
    guard_or(c"".as_ptr(), || TEXT.get_or_init(|| c_text(torch::libtorch_version())).as_ptr())
}

/// Sets how many threads one operator may use on the CPU, for the whole process and every model in it.
///
/// Parameters: `count` must be positive; anything else is ignored.
///
/// Threads: any thread, before the first run: libtorch keeps this per process.
#[unsafe(no_mangle)]
pub extern "C" fn pt2_set_cpu_threads(count: i32) {
    guard_quietly(|| {
        if count > 0 {
            torch::set_threads(count);
        }
    });
}
