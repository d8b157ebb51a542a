//! Errors of this library, which exist without the core.

use crate::result::{Outcome, Pointer};
use std::ffi::CString;
use std::sync::Mutex;

include!(concat!(env!("OUT_DIR"), "/status.rs"));

/// Error whose address is the caller's `pt2_error`.
#[derive(Debug)]
pub struct Missing {
    /// A `pt2_status`.
    pub code: i32,
    pub message: CString,
}

/// Errors that callers own.
static OWNED: Mutex<Vec<Box<Missing>>> = Mutex::new(Vec::new());

impl Missing {
    /// Makes the error of a core that is missing for the life of the process.
    pub fn because(code: i32, reason: &str) -> Missing {
        Missing::new(code, &format!("libpt2 could not load libtorch: {reason}"))
    }

    pub fn new(code: i32, text: &str) -> Missing {
        Missing { code, message: CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default() }
    }

    /// Passes the error to the caller, who frees it.
    pub fn into_outcome(self) -> Outcome {
        let error = Box::new(self);
        let address = (&raw const *error).cast_mut().cast();
        OWNED.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(error);
        Outcome(address)
    }
}

/// Returns the error at the address if a caller owns it.
pub fn owned_at(error: Pointer) -> Option<&'static Missing> {
    let owned = OWNED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let found = owned.iter().find(|own| std::ptr::eq(&raw const ***own, error.cast()))?;
    // SAFETY: the box keeps its address until the caller, who owns the error and passed it, frees it.
    Some(unsafe { &*(&raw const **found) })
}

/// Frees the error at the address if a caller owns it.
pub fn free(error: Pointer) {
    let mut owned = OWNED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    owned.retain(|own| !std::ptr::eq(&raw const **own, error.cast()));
}
