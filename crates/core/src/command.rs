//! Commands of the program `pt2`.

use std::ffi::{CStr, OsString, c_char, c_int};
use std::os::unix::ffi::OsStringExt;
use std::panic::catch_unwind;
use std::slice;

/// Exit code of a Rust program that panics.
const PANICKED: c_int = 101;

/// Carries out a command and returns its exit code. It is not part of the C ABI: the program `pt2`
/// calls it.
///
/// # Safety
/// `arguments` points to `count` NUL-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libpt2_core_cli(count: c_int, arguments: *const *const c_char) -> c_int {
    let count = usize::try_from(count).unwrap_or(0);
    // SAFETY: `arguments` points to `count` pointers by this function's contract.
    let arguments = unsafe { slice::from_raw_parts(arguments, count) };
    // SAFETY: each is a NUL-terminated string by this function's contract.
    let text = |argument: &*const c_char| unsafe { CStr::from_ptr(*argument) }.to_bytes().to_vec();
    let arguments: Vec<OsString> = arguments.iter().map(text).map(OsString::from_vec).collect();
    catch_unwind(|| pt2_cli_commands::carry_out(arguments)).unwrap_or(PANICKED)
}
