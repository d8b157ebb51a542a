//! Results of functions, and their values if the core is missing.

use crate::missing::Missing;
use std::ffi::{c_char, c_void};
use std::ptr;

/// Pointer that is only forwarded.
pub type Pointer = *mut c_void;

/// No result.
pub type Nothing = ();

/// Pointer to a `pt2_error`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug)]
pub struct Outcome(pub Pointer);

/// String of type `const char *`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug)]
pub struct Text(pub *const c_char);

/// Result with a value for a missing core, which is an error where the type allows one.
pub trait Result {
    fn without(missing: &'static Missing) -> Self;
}

impl Result for Outcome {
    fn without(missing: &'static Missing) -> Outcome {
        Outcome(ptr::from_ref(missing).cast_mut().cast())
    }
}

impl Result for Text {
    fn without(_: &'static Missing) -> Text {
        Text(ptr::null())
    }
}

impl Result for Pointer {
    fn without(_: &'static Missing) -> Pointer {
        ptr::null_mut()
    }
}

/// Implements results of functions on a model or tensor, which cannot exist: the same as for NULL.
macro_rules! nothing {
    ($($kind:ty),*) => {
        $(impl Result for $kind {
            fn without(_: &'static Missing) -> $kind {
                <$kind>::default()
            }
        })*
    };
}

nothing!(Nothing, bool, i32, usize);
