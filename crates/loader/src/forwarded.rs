//! Functions of the header that forward to the core.
//!
//! Pointers are forwarded unread. No function here has anything to drop, so a cancellation that
//! arrives meanwhile can unwind through it (`without_cancellation`).

use crate::core;
use crate::result::{Nothing, Outcome, Pointer, Result, Text};
use pt2_host::without_cancellation;

macro_rules! functions {
    (
        by_hand { $($by_hand:tt)* }
        if_opened { $($freeing:ident($freed:ident: $freed_kind:ty) -> $freed_result:ty;)* }
        forwarded { $($name:ident($($argument:ident: $kind:ty),*) -> $result:ty;)* }
    ) => {
        $(#[unsafe(no_mangle)]
        pub unsafe extern "C-unwind" fn $freeing($freed: $freed_kind) -> $freed_result {
            without_cancellation(|| if let Some(functions) = core::if_opened() {
                // SAFETY: the arguments are forwarded unchanged, and the C caller upholds the
                // header's contract.
                unsafe { (functions.$freeing)($freed) }
            })
        })*

        $(#[unsafe(no_mangle)]
        pub unsafe extern "C-unwind" fn $name($($argument: $kind),*) -> $result {
            without_cancellation(|| match core::opened() {
                // SAFETY: the arguments are forwarded unchanged, and the C caller upholds the
                // header's contract.
                Ok(functions) => unsafe { (functions.$name)($($argument),*) },
                Err(missing) => <$result as Result>::without(missing),
            })
        })*
    };
}

include!(concat!(env!("OUT_DIR"), "/functions.rs"));
