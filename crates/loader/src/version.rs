//! Version of this library, which is known without the core.

use crate::result::Text;
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
