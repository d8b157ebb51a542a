//! Versions. That of this library is known without the core.

use crate::core;
use crate::result::Text;
use pt2_host::without_cancellation;
use std::ffi::CStr;

/// Version of both halves.
pub const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(text) => text,
        Err(_) => c"",
    };

#[unsafe(no_mangle)]
pub extern "C-unwind" fn pt2_version() -> Text {
    Text(VERSION.as_ptr())
}

#[unsafe(no_mangle)]
pub extern "C-unwind" fn pt2_libtorch_version() -> Text {
    without_cancellation(|| match core::opened() {
        // SAFETY: the function takes no arguments.
        Ok(functions) => unsafe { (functions.pt2_libtorch_version)() },
        Err(_) => Text(c"".as_ptr()),
    })
}
