//! Error of a process that cannot load libtorch or the core of libpt2.

use crate::core;
use std::ffi::{CString, c_void};
use std::ptr;

/// Error with an address for the life of the process, which callers receive as `pt2_error`. There
/// is one of each kind.
#[derive(Debug)]
pub struct Missing {
    pub message: CString,
}

impl Missing {
    pub fn because(reason: &str) -> Missing {
        let text = format!("libpt2 could not load libtorch: {reason}").replace('\0', "\u{fffd}");
        Missing { message: CString::new(text).unwrap_or_default() }
    }

    /// Returns the error at a caller's address, if it is one of these.
    pub fn behind(error: *const c_void) -> Option<&'static Missing> {
        core::missing().find(|missing| ptr::from_ref(*missing).cast() == error)
    }
}
