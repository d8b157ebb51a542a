//! Addresses of the core's functions: those of the header, which `build.rs` lists.

use crate::result::{Nothing, Outcome, Pointer, Text};
use libloading::os::unix::Library;

/// Advice for errors of two halves that do not match.
pub const ONE_BUILD: &str = "install both halves of libpt2 from one build";

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
            $(pub $freeing: unsafe extern "C" fn($freed_kind) -> $freed_result,)*
            $(pub $name: unsafe extern "C" fn($($kind),*) -> $result,)*
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
    };
}

include!(concat!(env!("OUT_DIR"), "/functions.rs"));

pub fn symbol<T: Copy>(library: &Library, name: &str) -> std::result::Result<T, String> {
    // SAFETY: `T` is the type of a pointer to that function, as the header of this build declares
    // it.
    let symbol = unsafe { library.get::<T>(name.as_bytes()) };
    symbol.map(|symbol| *symbol).map_err(|error| format!("{error}; {ONE_BUILD}"))
}
