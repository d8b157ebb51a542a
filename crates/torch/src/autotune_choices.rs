//! Tuning cache of cuDNN: autotuned choices as lines of text, which only the same cuDNN version
//! understands.

use super::failure::{Failure, check};
use super::ffi;
use libc::{c_char, c_void};

/// Returns cuDNN's version number, such as 91900; None if this process has no cuDNN.
pub fn cudnn_version() -> Option<usize> {
    // SAFETY: the call takes no arguments and does not throw.
    Some(unsafe { ffi::shim_cudnn_version() }).filter(|version| *version != 0)
}

/// Returns the number of choices autotuned in this process.
pub fn measured() -> u64 {
    // SAFETY: the call takes no arguments and does not throw.
    unsafe { ffi::shim_cudnn_tuned_count() }
}

/// Takes over a line for a device. Skips invalid lines, and keeps the choices that this process
/// autotuned.
pub fn recall(device: u16, line: &str) {
    // SAFETY: the shim reads the line up to its length and does not keep it.
    unsafe { ffi::shim_cudnn_load_tuning(device.into(), line.as_ptr().cast(), line.len()) };
}

/// Returns the lines of a device.
pub fn lines(device: u16) -> Result<Vec<String>, Failure> {
    let mut lines: Vec<String> = Vec::new();
    // SAFETY: `push` takes the list of lines as context, and is called only before the shim
    // returns.
    check(unsafe { ffi::shim_cudnn_each_tuning(device.into(), push, (&raw mut lines).cast()) })?;
    Ok(lines)
}

/// # Safety
/// `lines` is a `Vec<String>`, `line` leads to `length` readable bytes.
unsafe extern "C" fn push(lines: *mut c_void, line: *const c_char, length: usize) {
    // SAFETY: `lines` passes its list as context, and the shim a line with its length.
    let (lines, line) =
        unsafe { (&mut *lines.cast::<Vec<String>>(), std::slice::from_raw_parts(line.cast::<u8>(), length)) };
    lines.push(String::from_utf8_lossy(line).into_owned());
}
