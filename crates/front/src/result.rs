//! What functions return, and return where there is nobody to ask.

use crate::missing::Missing;
use std::ffi::{c_char, c_void};
use std::ptr;

/// Whatever is only passed on.
pub type Pointer = *mut c_void;

/// No result.
pub type Nothing = ();

/// A `pt2_error *`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug)]
pub struct Outcome(pub Pointer);

/// A `const char *`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug)]
pub struct Text(pub *const c_char);

/// A result that tells that the other half is missing, as far as its type can.
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

/// What a model or tensor is asked that cannot be there: as for NULL.
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
