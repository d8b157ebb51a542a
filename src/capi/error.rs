//! Errors as objects that the caller owns.

use super::guard::guard_error;
use crate::Error;
use libc::c_char;
use std::borrow::Cow;
use std::ffi::{CStr, CString};
use std::io::ErrorKind;
use std::ptr;

/// What kind of error it is. The numbers are fixed for ever; a newer library may add some.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum pt2_status {
    /// An argument of the call itself is wrong: NULL, an unknown option, a name that does not exist.
    PT2_ERROR_ARGUMENT = 1,
    /// The operating system refused to open, read or map the file.
    PT2_ERROR_IO = 2,
    /// The file is no archive, or one that could be read in two ways.
    PT2_ERROR_ARCHIVE = 3,
    /// An entry's bytes are not those that were written.
    PT2_ERROR_CHECKSUM = 4,
    /// The archive is well formed but needs something that this library does not offer.
    PT2_ERROR_UNSUPPORTED = 5,
    /// The program in the archive contradicts itself or its schema.
    PT2_ERROR_PROGRAM = 6,
    /// A stored tensor is missing, its description does not fit its bytes, or a tensor does not fit the weight that
    /// it is given for.
    PT2_ERROR_WEIGHT = 7,
    /// The program calls operators that this process does not have; the message lists them all.
    PT2_ERROR_MISSING_OPERATOR = 8,
    /// An input has the wrong count, kind, dtype, device, rank or size.
    PT2_ERROR_INPUT = 9,
    /// The device that was asked for cannot be used.
    PT2_ERROR_DEVICE = 10,
    /// The device failed; it is lost for the life of the process.
    PT2_ERROR_DEVICE_LOST = 11,
    /// Host memory ran out. Handles stay usable.
    PT2_ERROR_OUT_OF_MEMORY = 12,
    /// Device memory ran out. Handles stay usable.
    PT2_ERROR_DEVICE_OUT_OF_MEMORY = 13,
    /// An operator refused its arguments or failed; the message names the node and the exported Python.
    PT2_ERROR_OPERATOR = 14,
    /// libtorch failed outside any node, or libpt2 has a bug.
    PT2_ERROR_INTERNAL = 15,
    /// The program calls operators that may reach files, memory or other processes; the message lists them all.
    /// `allowed_operators` of `pt2_load_options` lets them pass.
    PT2_ERROR_FORBIDDEN_OPERATOR = 16,
    /// The archive holds code that was compiled for another platform, processor, CUDA device or PyTorch; the message
    /// gives both values of all that differs. Nothing of it was executed.
    PT2_ERROR_OTHER_MACHINE = 17,
    /// The archive holds compiled code that was not loaded: `allow_native_code` of `pt2_load_options` is not set, its
    /// SHA-256 is not the expected one, or the dynamic loader refused it.
    PT2_ERROR_NATIVE_CODE = 18,
    /// libtorch could not be loaded, or one half of libpt2 is missing; the message says which file and why. It is so for
    /// the life of the process.
    PT2_ERROR_LIBTORCH = 19,
    /// The process is the child of a fork that came after the first call: libtorch's threads are not in it. Freeing and
    /// questions still work.
    PT2_ERROR_FORKED = 20,
    /// The process is exiting.
    PT2_ERROR_EXITING = 21,
}

/// Why a call failed. It belongs to the caller, who frees it with `pt2_error_free`; it refers to no other
/// object, and may be read by any thread.
#[derive(Debug)]
pub struct pt2_error {
    code: pt2_status,
    message: Cow<'static, CStr>,
    input: Option<CString>,
}

/// What callers get where there may be no memory for an error.
static EXHAUSTED: pt2_error = pt2_error {
    code: pt2_status::PT2_ERROR_OUT_OF_MEMORY,
    message: Cow::Borrowed(c"out of memory: the host has no memory left"),
    input: None,
};

impl pt2_error {
    /// Hands an error to the caller.
    pub(super) fn give(error: &Error) -> *mut pt2_error {
        let input = match error.root() {
            Error::Input { input, .. } => Some(c_text(input)),
            _ => None,
        };
        Box::into_raw(Box::new(pt2_error {
            code: code_of(error.root()),
            message: Cow::Owned(c_text(&error.to_string())),
            input,
        }))
    }

    /// Hands out the error of memory that ran out, which takes none. All callers share it.
    pub(super) fn exhausted() -> *mut pt2_error {
        (&raw const EXHAUSTED).cast_mut()
    }
}

fn code_of(error: &Error) -> pt2_status {
    use pt2_status::*;
    match error {
        Error::Argument { .. } => PT2_ERROR_ARGUMENT,
        Error::Io { source, .. } if source.kind() == ErrorKind::OutOfMemory => PT2_ERROR_OUT_OF_MEMORY,
        Error::Io { .. } | Error::OperatorLibrary { .. } => PT2_ERROR_IO,
        Error::Archive { .. } => PT2_ERROR_ARCHIVE,
        Error::Checksum { .. } => PT2_ERROR_CHECKSUM,
        Error::Unsupported { .. } => PT2_ERROR_UNSUPPORTED,
        Error::Program { .. } => PT2_ERROR_PROGRAM,
        Error::Weight { .. } => PT2_ERROR_WEIGHT,
        Error::MissingOperators { .. } => PT2_ERROR_MISSING_OPERATOR,
        Error::ForbiddenOperators { .. } => PT2_ERROR_FORBIDDEN_OPERATOR,
        Error::OtherMachine { .. } => PT2_ERROR_OTHER_MACHINE,
        Error::NativeCode { .. } => PT2_ERROR_NATIVE_CODE,
        Error::InputCount { .. } | Error::Input { .. } => PT2_ERROR_INPUT,
        Error::Device { .. } => PT2_ERROR_DEVICE,
        Error::DeviceLost { .. } => PT2_ERROR_DEVICE_LOST,
        Error::OutOfMemory { .. } => PT2_ERROR_OUT_OF_MEMORY,
        Error::DeviceOutOfMemory { .. } => PT2_ERROR_DEVICE_OUT_OF_MEMORY,
        Error::Operator { .. } => PT2_ERROR_OPERATOR,
        Error::Libtorch { .. } => PT2_ERROR_LIBTORCH,
        Error::Forked => PT2_ERROR_FORKED,
        Error::Exiting => PT2_ERROR_EXITING,
        Error::Internal { .. } | Error::InArchive { .. } => PT2_ERROR_INTERNAL,
    }
}

/// A text for C. What follows a NUL in it would be invisible, so a NUL becomes a visible mark.
pub(super) fn c_text(text: &str) -> CString {
    CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default()
}

/// The kind of an error.
///
/// Returns a `pt2_status`; 0 for NULL. A newer library may return numbers that this header does not list.
///
/// Ownership: `error` is borrowed. Threads: any number may read an error at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_error_code(error: *const pt2_error) -> i32 {
    // SAFETY: the caller's promise.
    guard_error(0, || unsafe { error.as_ref() }.map_or(0, |error| error.code as i32))
}

/// What went wrong: one sentence in UTF-8 that names the input, node or entry and says what to do.
///
/// Returns a text that is never NULL; it is empty for NULL.
///
/// Ownership: the text belongs to the error and lives until the error is freed. Threads: any number may read an
/// error at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_error_message(error: *const pt2_error) -> *const c_char {
    // SAFETY: the caller's promise.
    let message = || unsafe { error.as_ref() }.map(|error| error.message.as_ptr());
    guard_error(c"".as_ptr(), || message().unwrap_or(c"".as_ptr()))
}

/// Which input is to blame.
///
/// Returns the input's path name, such as `args[0]`; NULL where no single input is to blame, and for NULL.
///
/// Ownership: the text belongs to the error and lives until the error is freed. Threads: any number may read an
/// error at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_error_input(error: *const pt2_error) -> *const c_char {
    // SAFETY: the caller's promise.
    let input = || unsafe { error.as_ref() }.and_then(|error| error.input.as_ref());
    guard_error(ptr::null(), || input().map_or(ptr::null(), |text| text.as_ptr()))
}

/// Frees an error.
///
/// Parameters: `error` may be NULL. It must not be used or freed again.
///
/// Threads: any thread, while no other uses the error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_error_free(error: *mut pt2_error) {
    guard_error((), || {
        if !error.is_null() && !ptr::eq(error, &EXHAUSTED) {
            // SAFETY: the caller's promise; `give` made it with Box::into_raw.
            drop(unsafe { Box::from_raw(error) });
        }
    });
}
