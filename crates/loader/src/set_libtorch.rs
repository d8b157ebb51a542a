//! Folder of libtorch that the program names.

use crate::core;
use crate::libtorch::{library_in, request, without_library};
use crate::missing::{ARGUMENT, Missing};
use crate::owned_error;
use crate::result::{Outcome, Pointer, Result};
use pt2_host::without_cancellation;
use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;

#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn pt2_set_libtorch(folder: Pointer) -> Outcome {
    // SAFETY: the C caller upholds the contract of `pt2_set_libtorch`.
    without_cancellation(|| unsafe { set(folder) })
}

/// Sets the folder. Separate from the function of the ABI, which must have nothing to drop.
#[inline(never)]
unsafe extern "C" fn set(folder: Pointer) -> Outcome {
    if core::is_decided() {
        return match core::opened() {
            // SAFETY: the argument is forwarded unchanged, and the C caller upholds the contract of
            // `pt2_set_libtorch`.
            Ok(functions) => unsafe { (functions.pt2_set_libtorch)(folder) },
            Err(missing) => Outcome::without(missing),
        };
    }
    // SAFETY: the C caller passes NULL or a string.
    let named = (!folder.is_null()).then(|| unsafe { CStr::from_ptr(folder.cast()) });
    match named.map(|named| Path::new(OsStr::from_bytes(named.to_bytes()))) {
        None => request(None),
        Some(named) if library_in(named).is_none() => {
            let text = format!("argument `folder`: it {}", without_library(named));
            return owned_error::pass(Missing::new(ARGUMENT, &text));
        }
        // The process may change its working directory before the first load.
        Some(named) => request(named.canonicalize().ok().as_deref().or(Some(named))),
    }
    Outcome(ptr::null_mut())
}
