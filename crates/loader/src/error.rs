//! Errors: those of the core, and those of this library.
//!
//! An error of a missing core may outlive the opening of the core: a call that an exit refuses
//! returns it while another thread still opens the core. So each function asks first which of the
//! two an error is.

use crate::core;
use crate::functions::Functions;
use crate::missing::Missing;
use crate::owned_error;
use crate::result::{Pointer, Text};
use pt2_host::without_cancellation;
use std::ptr;

/// Owner of an error.
enum Owner {
    /// This library.
    Loader(&'static Missing),
    /// The core. NULL counts as the core's.
    Core(&'static Functions),
    /// Neither: the error is NULL, and the core is not opened.
    None,
}

fn owner_of(error: Pointer) -> Owner {
    let own = core::missing_at(error).or_else(|| owned_error::at(error));
    match (own, core::if_opened()) {
        (Some(own), _) => Owner::Loader(own),
        (None, Some(functions)) => Owner::Core(functions),
        (None, None) => Owner::None,
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn pt2_error_code(error: Pointer) -> i32 {
    without_cancellation(|| match owner_of(error) {
        Owner::Loader(own) => own.code,
        // SAFETY: the C caller passes NULL or a live `pt2_error`, by the contract of
        // `pt2_error_code`. It is the core's, by `owner_of`.
        Owner::Core(functions) => unsafe { (functions.pt2_error_code)(error) },
        Owner::None => 0,
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn pt2_error_message(error: Pointer) -> Text {
    without_cancellation(|| match owner_of(error) {
        Owner::Loader(own) => Text(own.message.as_ptr()),
        // SAFETY: the C caller passes NULL or a live `pt2_error`, by the contract of
        // `pt2_error_message`. It is the core's, by `owner_of`.
        Owner::Core(functions) => unsafe { (functions.pt2_error_message)(error) },
        Owner::None => Text(c"".as_ptr()),
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn pt2_error_input(error: Pointer) -> Text {
    without_cancellation(|| match owner_of(error) {
        // SAFETY: the C caller passes NULL or a live `pt2_error`, by the contract of
        // `pt2_error_input`. It is the core's, by `owner_of`.
        Owner::Core(functions) => unsafe { (functions.pt2_error_input)(error) },
        Owner::Loader(_) | Owner::None => Text(ptr::null()),
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn pt2_error_free(error: Pointer) {
    without_cancellation(|| match owner_of(error) {
        // SAFETY: the C caller passes NULL or a `pt2_error` that it owns, by the contract of
        // `pt2_error_free`. It is the core's, by `owner_of`.
        Owner::Core(functions) => unsafe { (functions.pt2_error_free)(error) },
        Owner::Loader(_) => owned_error::free(error),
        Owner::None => {}
    })
}
