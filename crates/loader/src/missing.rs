//! Errors of this library, which exist without the core.

use crate::result::{Outcome, Pointer};
use std::ffi::CString;
use std::ptr;
use std::sync::{Mutex, MutexGuard};

include!(concat!(env!("OUT_DIR"), "/status.rs"));

/// Error whose address is the caller's `pt2_error`.
#[derive(Debug)]
pub struct Missing {
    /// A `pt2_status`.
    pub code: i32,
    pub message: CString,
}

/// Errors that callers own, each a box.
static OWNED: Mutex<Vec<&'static Missing>> = Mutex::new(Vec::new());

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
        let error: &Missing = Box::leak(Box::new(self));
        owned().push(error);
        Outcome(ptr::from_ref(error).cast_mut().cast())
    }
}

/// Returns the error at the address if a caller owns it.
pub fn owned_at(error: Pointer) -> Option<&'static Missing> {
    owned().iter().copied().find(|own| ptr::eq(ptr::from_ref(*own), error.cast()))
}

/// Frees the error at the address if a caller owns it.
pub fn free(error: Pointer) {
    let mut owned = owned();
    let Some(index) = owned.iter().position(|own| ptr::eq(ptr::from_ref(*own), error.cast())) else { return };
    let own = ptr::from_ref(owned.swap_remove(index)).cast_mut();
    // SAFETY: the address is that of a leaked box, which is no longer in the list. The caller gives
    // it up.
    drop(unsafe { Box::from_raw(own) });
}

fn owned() -> MutexGuard<'static, Vec<&'static Missing>> {
    OWNED.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
