//! Errors of this library that callers own and free.

use crate::missing::Missing;
use crate::result::{Outcome, Pointer};
use std::ptr;
use std::sync::{Mutex, MutexGuard};

/// Errors that callers own, each a box.
static OWNED: Mutex<Vec<&'static Missing>> = Mutex::new(Vec::new());

/// Passes an error to the caller, who frees it.
pub fn pass(error: Missing) -> Outcome {
    let error: &Missing = Box::leak(Box::new(error));
    owned().push(error);
    Outcome(ptr::from_ref(error).cast_mut().cast())
}

/// Returns the error at the address if a caller owns it.
pub fn at(error: Pointer) -> Option<&'static Missing> {
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
