//! Which libtorch is in this process.

use super::ffi;

/// The version of the libtorch that was loaded, such as `2.11.0`.
pub fn libtorch_version() -> &'static str {
    let mut length = 0;
    // SAFETY: the shim returns a static string and its length.
    let bytes = unsafe {
        let text = ffi::shim_libtorch_version(&mut length);
        std::slice::from_raw_parts(text.cast::<u8>(), length)
    };
    std::str::from_utf8(bytes).unwrap_or("unknown")
}
