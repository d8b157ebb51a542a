//! Functions of the header, which `build.rs` lists, and their addresses in the core.
//!
//! Pointers are forwarded unread. No function here has anything to drop, so a cancellation that
//! arrives meanwhile can unwind through it (`without_cancellation`).

use crate::core;
use crate::result::{Nothing, Outcome, Pointer, Result, Text};
use libloading::os::unix::Library;
use pt2_host::without_cancellation;

macro_rules! functions {
    (
        by_hand { $($own:ident($($own_argument:ident: $own_kind:ty),*) -> $own_result:ty;)* }
        if_opened { $($freeing:ident($freed:ident: $freed_kind:ty) -> $freed_result:ty;)* }
        forwarded { $($name:ident($($argument:ident: $kind:ty),*) -> $result:ty;)* }
    ) => {
        /// Addresses of the core's functions.
        #[derive(Debug)]
        pub struct Functions {
            $(pub $own: unsafe extern "C" fn($($own_kind),*) -> $own_result,)*
            $($freeing: unsafe extern "C" fn($freed_kind) -> $freed_result,)*
            $($name: unsafe extern "C" fn($($kind),*) -> $result,)*
        }

        impl Functions {
            /// Looks up all functions. The error names a function that the library does not have.
            pub fn of(library: &Library) -> std::result::Result<Functions, String> {
                Ok(Functions {
                    $($own: symbol(library, stringify!($own))?,)*
                    $($freeing: symbol(library, stringify!($freeing))?,)*
                    $($name: symbol(library, stringify!($name))?,)*
                })
            }
        }

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

pub fn symbol<T: Copy>(library: &Library, name: &str) -> std::result::Result<T, String> {
    // SAFETY: `T` is the type of a pointer to that function, as the header of this build declares
    // it.
    let symbol = unsafe { library.get::<T>(name.as_bytes()) };
    symbol.map(|symbol| *symbol).map_err(|error| format!("{error}; {}", core::ONE_BUILD))
}
