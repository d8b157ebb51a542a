//! Tuning cache of cuDNN: what was measured to be fastest, as lines of text that only the same cuDNN
//! understands.

use super::failure::{Failure, check};
use super::ffi;
use libc::{c_char, c_void};

/// cuDNN's version as it numbers itself, such as 91900; None where this process has none.
pub fn cudnn_version() -> Option<usize> {
    // SAFETY: takes nothing and throws nothing.
    Some(unsafe { ffi::shim_cudnn_version() }).filter(|version| *version != 0)
}

/// How often something was measured in this process.
pub fn measured() -> u64 {
    // SAFETY: as above.
    unsafe { ffi::shim_cudnn_tuned_count() }
}

/// Takes a line for a device over; lines that are none are passed over. What this process measured itself stays.
pub fn recall(device: u16, line: &str) {
    // SAFETY: the line is read up to its length and not kept.
    unsafe { ffi::shim_cudnn_load_tuning(device.into(), line.as_ptr().cast(), line.len()) };
}

/// The lines of a device.
pub fn lines(device: u16) -> Result<Vec<String>, Failure> {
    let mut lines: Vec<String> = Vec::new();
    // SAFETY: `push` takes the context for what it is here, and is called only before the shim returns.
    check(unsafe { ffi::shim_cudnn_each_tuning(device.into(), push, (&raw mut lines).cast()) })?;
    Ok(lines)
}

/// # Safety
/// `lines` is a `Vec<String>`, `line` leads to `length` readable bytes.
unsafe extern "C" fn push(lines: *mut c_void, line: *const c_char, length: usize) {
    // SAFETY: the caller's promise.
    let (lines, line) =
        unsafe { (&mut *lines.cast::<Vec<String>>(), std::slice::from_raw_parts(line.cast::<u8>(), length)) };
    lines.push(String::from_utf8_lossy(line).into_owned());
}
