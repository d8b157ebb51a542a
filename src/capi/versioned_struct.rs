//! Versioned structs: their first field is the size that the caller was compiled with.

use crate::{Error, Result};
use std::mem::{MaybeUninit, size_of};

/// A plain C struct that begins with its own size.
///
/// # Safety
/// The type is `repr(C)`, its first field is the `usize` size, and all-zero bytes are a valid value.
pub unsafe trait Versioned {
    /// The parameter's name in messages.
    const ARGUMENT: &'static str;
    /// The sizes of all versions, the oldest first: a size between two of them would cut a field in two.
    const SIZES: &'static [usize];
}

/// Reads a struct of any version: fields the caller does not know are zero, which always means the default;
/// fields this library does not know must be zero.
///
/// # Safety
/// A pointer that is not NULL must lead to as many readable bytes as its first field says.
pub unsafe fn read<T: Versioned>(pointer: *const T) -> Result<T> {
    // SAFETY: all-zero bytes are a valid value, as the trait promises.
    let mut value = unsafe { MaybeUninit::<T>::zeroed().assume_init() };
    if pointer.is_null() {
        return Ok(value);
    }
    // SAFETY: the caller upholds the conditions under "Safety". `checked` reads only the size, and refuses
    // one that is not plausible.
    unsafe {
        let given = checked::<T>(pointer)?;
        let known = given.min(size_of::<T>());
        std::ptr::copy_nonoverlapping(pointer.cast::<u8>(), (&raw mut value).cast::<u8>(), known);
        let rest = std::slice::from_raw_parts(pointer.cast::<u8>().add(known), given - known);
        if rest.iter().any(|byte| *byte != 0) {
            return Err(refuse::<T>("it sets fields that this version of libpt2 does not know"));
        }
    }
    Ok(value)
}

/// Fills as much of the caller's struct as the caller knows. Its size field is not written.
///
/// # Safety
/// A pointer that is not NULL must lead to as many writable bytes as its first field says.
pub unsafe fn write<T: Versioned>(pointer: *mut T, value: &T) -> Result<()> {
    if pointer.is_null() {
        return Err(refuse::<T>("it is NULL"));
    }
    // SAFETY: the caller upholds the conditions under "Safety".
    unsafe {
        let known = checked::<T>(pointer)?.min(size_of::<T>());
        let skip = size_of::<usize>();
        let from = std::ptr::from_ref(value).cast::<u8>().add(skip);
        std::ptr::copy_nonoverlapping(from, pointer.cast::<u8>().add(skip), known - skip);
    }
    Ok(())
}

/// # Safety
/// `pointer` must lead to a readable size.
unsafe fn checked<T: Versioned>(pointer: *const T) -> Result<usize> {
    /// No version of any struct will be larger; a larger number is memory that was never initialised.
    const LARGEST: usize = 4096;
    // SAFETY: the caller upholds the conditions under "Safety".
    let size = unsafe { pointer.cast::<usize>().read_unaligned() };
    let newer = size_of::<T>() < size && size <= LARGEST;
    if newer || T::SIZES.contains(&size) {
        return Ok(size);
    }
    Err(refuse::<T>("set struct_size to sizeof the struct before the call"))
}

fn refuse<T: Versioned>(reason: &str) -> Error {
    Error::Argument { argument: T::ARGUMENT, reason: reason.into() }
}
