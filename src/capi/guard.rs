//! Guards of the C ABI: panics become errors, and pointers are checked before their use.

use super::error::pt2_error;
use crate::reserve::{self, within};
use crate::torch::process;
use crate::{Error, Result};
use libc::c_char;
use pt2_host::{FloatingPoint, ThreadStorage};
use std::any::Any;
use std::ffi::CStr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

/// Runs the body of a function that can fail, in the default floating-point environment and while the process neither
/// exits nor was forked. NULL means success.
pub fn guard(body: impl FnOnce() -> Result<()>) -> *mut pt2_error {
    if !ThreadStorage::allocate() {
        return pt2_error::exhausted();
    }
    with_storage(|| {
        silence_panics();
        within(|| admitted(body))
    })
}

/// Runs what uses variables of the thread. Compilers move the look-up of one ahead of conditions, but not out of here.
#[inline(never)]
fn with_storage<T>(body: impl FnOnce() -> T) -> T {
    body()
}

fn admitted(body: impl FnOnce() -> Result<()>) -> *mut pt2_error {
    let _environment = FloatingPoint::default_environment();
    let _call = match process::enter() {
        Ok(call) => call,
        Err(error) => return pt2_error::give(&error),
    };
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => std::ptr::null_mut(),
        // Whatever failed: memory was refused before. The error must not hold memory of the reserve.
        Ok(Err(_)) | Err(_) if reserve::check().is_err() => pt2_error::exhausted(),
        Ok(Err(error)) => pt2_error::give(&error),
        Err(payload) => pt2_error::give(&Error::Internal { reason: panic_text(payload.as_ref()) }),
    }
}

/// Runs the body of a function that answers a question; a panic is answered with `otherwise`, as is a thread that has no
/// memory for its variables.
pub fn guard_or<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    if !ThreadStorage::allocate() {
        return otherwise;
    }
    with_storage(|| {
        silence_panics();
        within(|| catch_unwind(AssertUnwindSafe(body)).unwrap_or(otherwise))
    })
}

/// Runs the body of a function that frees or sets something of libtorch's. Does nothing in a process that is exiting or
/// was forked: what libtorch holds cannot be freed there. Nor in a thread that has no memory for its variables.
pub fn guard_quietly(body: impl FnOnce()) {
    if !ThreadStorage::allocate() {
        return;
    }
    with_storage(|| {
        silence_panics();
        within(|| quietly(body));
    });
}

fn quietly(body: impl FnOnce()) {
    let _environment = FloatingPoint::default_environment();
    let Ok(_call) = process::enter() else { return };
    // The functions that free have no way to report a panic.
    drop(catch_unwind(AssertUnwindSafe(body)));
}

/// Keeps panics from printing in the host's process. Their message is in the error.
fn silence_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| std::panic::set_hook(Box::new(|_| {})));
}

fn panic_text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| text.to_string());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    format!("this is a bug in libpt2: {}", text.unwrap_or_else(|| "a panic without a message".into()))
}

/// A pointer that the caller must not leave NULL.
///
/// # Safety
/// A pointer that is not NULL must lead to a live value that does not change for `'a`.
pub unsafe fn required<'a, T>(pointer: *const T, argument: &'static str) -> Result<&'a T> {
    usable(pointer, argument)?;
    // SAFETY: the caller upholds the conditions under "Safety".
    Ok(unsafe { &*pointer })
}

/// Refuses a pointer that nothing can be read from or written to.
pub fn usable<T>(pointer: *const T, argument: &'static str) -> Result<()> {
    if pointer.is_null() {
        return Err(null(argument));
    }
    if !pointer.is_aligned() {
        let reason = format!("its address is not a multiple of {}", align_of::<T>());
        return Err(Error::Argument { argument, reason });
    }
    Ok(())
}

/// A place for a result.
///
/// # Safety
/// A pointer that is not NULL must lead to memory that a `T` can be written to.
pub unsafe fn put<T>(place: *mut T, argument: &'static str, value: T) -> Result<()> {
    usable(place, argument)?;
    // SAFETY: the caller upholds the conditions under "Safety"; nothing that was there before is dropped.
    unsafe { place.write(value) };
    Ok(())
}

/// An array of the caller's; NULL is fine for an empty one.
///
/// # Safety
/// A pointer that is not NULL must lead to `count` live values that do not change for `'a`.
pub unsafe fn array<'a, T>(first: *const T, count: usize, argument: &'static str) -> Result<&'a [T]> {
    if count == 0 {
        return Ok(&[]);
    }
    usable(first, argument)?;
    // SAFETY: the caller upholds the conditions under "Safety".
    Ok(unsafe { std::slice::from_raw_parts(first, count) })
}

/// A string of the caller's.
///
/// # Safety
/// A pointer that is not NULL must lead to a NUL-terminated string that does not change for `'a`.
pub unsafe fn text<'a>(pointer: *const c_char, argument: &'static str) -> Result<&'a CStr> {
    if pointer.is_null() {
        return Err(null(argument));
    }
    // SAFETY: the caller upholds the conditions under "Safety".
    Ok(unsafe { CStr::from_ptr(pointer) })
}

/// The same where NULL means "not given", as UTF-8.
///
/// # Safety
/// As for [`text`].
pub unsafe fn optional_text<'a>(pointer: *const c_char, argument: &'static str) -> Result<Option<&'a str>> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller upholds the conditions under "Safety".
    let text = unsafe { CStr::from_ptr(pointer) };
    let reason = || Error::Argument { argument, reason: "it is not UTF-8".into() };
    text.to_str().map(Some).map_err(|_| reason())
}

/// A string of the caller's, as UTF-8.
///
/// # Safety
/// As for [`text`].
pub unsafe fn required_text<'a>(pointer: *const c_char, argument: &'static str) -> Result<&'a str> {
    // SAFETY: the caller upholds the conditions under "Safety".
    unsafe { optional_text(pointer, argument) }?.ok_or_else(|| null(argument))
}

fn null(argument: &'static str) -> Error {
    Error::Argument { argument, reason: "it is NULL".into() }
}
