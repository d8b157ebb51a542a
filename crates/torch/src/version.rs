//! Version of the libtorch in this process.

use super::ffi;

/// Returns the ABI version of the libtorch that this build is for: major and minor are its top two
/// bytes (torch/headeronly/version.h, 2.11).
pub fn built_for() -> u64 {
    // SAFETY: the call takes no arguments and returns a constant.
    unsafe { ffi::shim_headers_version() }
}

/// Returns the version of the loaded libtorch, such as `2.11.0`.
pub fn libtorch_version() -> &'static str {
    let mut length = 0;
    // SAFETY: the shim returns a static string and its length.
    let bytes = unsafe {
        let text = ffi::shim_libtorch_version(&mut length);
        std::slice::from_raw_parts(text.cast::<u8>(), length)
    };
    std::str::from_utf8(bytes).unwrap_or("unknown")
}
