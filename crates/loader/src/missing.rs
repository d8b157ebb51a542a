//! Error of a process that cannot load libtorch or the core of libpt2.

use std::ffi::CString;

include!(concat!(env!("OUT_DIR"), "/status.rs"));

/// Error of one kind. It exists until the process exits, and its address is the caller's
/// `pt2_error`.
#[derive(Debug)]
pub struct Missing {
    /// A `pt2_status`.
    pub code: i32,
    pub message: CString,
}

impl Missing {
    pub fn because(code: i32, reason: &str) -> Missing {
        let text = format!("libpt2 could not load libtorch: {reason}").replace('\0', "\u{fffd}");
        Missing { code, message: CString::new(text).unwrap_or_default() }
    }
}
