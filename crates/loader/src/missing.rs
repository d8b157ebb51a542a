//! Errors of this library, which exist without the core.

use std::ffi::CString;

include!(concat!(env!("OUT_DIR"), "/status.rs"));

/// Error whose address is the caller's `pt2_error`.
#[derive(Debug)]
pub struct Missing {
    /// A `pt2_status`.
    pub code: i32,
    pub message: CString,
}

impl Missing {
    /// Makes the error of a core that is missing for the life of the process.
    pub fn because(code: i32, reason: &str) -> Missing {
        Missing::new(code, &format!("libpt2 could not load libtorch: {reason}"))
    }

    pub fn new(code: i32, text: &str) -> Missing {
        Missing { code, message: CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default() }
    }
}
