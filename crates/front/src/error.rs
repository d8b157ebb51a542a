//! Errors: those of the core, and the one for a missing core.

use crate::core;
use crate::missing::Missing;
use crate::result::{Pointer, Text};
use pt2_host::without_cancellation;
use std::ptr;

#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn pt2_error_code(error: Pointer) -> i32 {
    without_cancellation(|| match (Missing::behind(error), core::if_opened()) {
        (Some(missing), _) => missing.code,
        // SAFETY: the C caller passes NULL or a live `pt2_error` of the core, by the contract of
        // `pt2_error_code`.
        (None, Some(functions)) => unsafe { (functions.pt2_error_code)(error) },
        (None, None) => 0,
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn pt2_error_message(error: Pointer) -> Text {
    without_cancellation(|| match (Missing::behind(error), core::if_opened()) {
        (Some(missing), _) => Text(missing.message.as_ptr()),
        // SAFETY: the C caller passes NULL or a live `pt2_error` of the core, by the contract of
        // `pt2_error_message`.
        (None, Some(functions)) => unsafe { (functions.pt2_error_message)(error) },
        (None, None) => Text(c"".as_ptr()),
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn pt2_error_input(error: Pointer) -> Text {
    without_cancellation(|| match core::if_opened() {
        // SAFETY: the C caller passes NULL or a live `pt2_error`. It is the core's, because calls
        // return errors of a missing core only while it is not opened.
        Some(functions) => unsafe { (functions.pt2_error_input)(error) },
        None => Text(ptr::null()),
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn pt2_error_free(error: Pointer) {
    without_cancellation(|| {
        if let Some(functions) = core::if_opened() {
            // SAFETY: the C caller passes NULL or a `pt2_error` that it owns. It is the core's,
            // because calls return errors of a missing core only while it is not opened.
            unsafe { (functions.pt2_error_free)(error) }
        }
    })
}
