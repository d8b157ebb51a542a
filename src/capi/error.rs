//! Errors as objects that the caller owns.

use crate::Error;
use libc::c_char;
use std::borrow::Cow;
use std::ffi::{CStr, CString};
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

/// The kind of an error.
///
/// The numbers never change meaning. A newer library may add some.
///
/// Since 0.1.0.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum pt2_status {
    /// An argument of the call is invalid: NULL, an unknown option, a name that does not
    /// exist.
    /// Since 0.1.0.
    PT2_ERROR_ARGUMENT = 1,
    /// The operating system failed to open, read or map the file.
    /// Since 0.1.0.
    PT2_ERROR_IO = 2,
    /// The file is not an archive, or it is ambiguous: two readers could read it in two
    /// ways.
    /// Since 0.1.0.
    PT2_ERROR_ARCHIVE = 3,
    /// The bytes of an entry do not match their checksum.
    /// Since 0.1.0.
    PT2_ERROR_CHECKSUM = 4,
    /// The archive is well formed but needs a feature that this library does not have.
    /// Since 0.1.0.
    PT2_ERROR_UNSUPPORTED = 5,
    /// The program in the archive contradicts itself or its schema.
    /// Since 0.1.0.
    PT2_ERROR_PROGRAM = 6,
    /// A stored tensor is missing, or its description does not match its bytes. Also: a
    /// tensor does not fit the weight that it is set for.
    /// Since 0.1.0.
    PT2_ERROR_WEIGHT = 7,
    /// The program calls operators that this process does not have. The message lists all of
    /// them.
    /// Since 0.1.0.
    PT2_ERROR_MISSING_OPERATOR = 8,
    /// An input has the wrong count, kind, dtype, device, rank or size.
    /// Since 0.1.0.
    PT2_ERROR_INPUT = 9,
    /// The requested device cannot be used.
    /// Since 0.1.0.
    PT2_ERROR_DEVICE = 10,
    /// The device failed. It is lost for the life of the process.
    /// Since 0.1.0.
    PT2_ERROR_DEVICE_LOST = 11,
    /// Host memory ran out. Handles stay usable.
    /// Since 0.1.0.
    PT2_ERROR_OUT_OF_MEMORY = 12,
    /// Device memory ran out. Handles stay usable.
    /// Since 0.1.0.
    PT2_ERROR_DEVICE_OUT_OF_MEMORY = 13,
    /// An operator rejected its arguments or failed. The message names the node and the line
    /// of Python that was exported.
    /// Since 0.1.0.
    PT2_ERROR_OPERATOR = 14,
    /// libtorch failed outside any node, or libpt2 has a bug.
    /// Since 0.1.0.
    PT2_ERROR_INTERNAL = 15,
    /// The program calls operators that may reach files, memory or other processes. The
    /// message lists all of them. `allowed_operators` of `pt2_load_options` permits them.
    /// Since 0.1.0.
    PT2_ERROR_FORBIDDEN_OPERATOR = 16,
    /// The archive holds code that was compiled for another platform, processor, CUDA device
    /// or PyTorch. The message gives both values of each difference. None of the code was executed.
    /// Since 0.1.0.
    PT2_ERROR_OTHER_MACHINE = 17,
    /// The archive holds compiled code that was not loaded. Either `allow_native_code` of
    /// `pt2_load_options` is not set, or the SHA-256 is not the expected one, or the dynamic loader
    /// rejected the code.
    /// Since 0.1.0.
    PT2_ERROR_NATIVE_CODE = 18,
    /// libtorch could not be loaded, or there is no engine for its version. The message names
    /// the file and the reason. The error is permanent for the life of the process.
    /// Since 0.1.0.
    PT2_ERROR_LIBTORCH = 19,
    /// The process is the child of a fork that came after the first call. libtorch's threads
    /// do not exist in it. Functions that return no error object still work, and freeing a model or
    /// a tensor does nothing.
    /// Since 0.1.0.
    PT2_ERROR_FORKED = 20,
    /// The process is exiting.
    /// Since 0.1.0.
    PT2_ERROR_EXITING = 21,
}

/// The reason why a call failed.
///
/// The caller owns an error and frees it with pt2_error_free(). An error refers to no other object.
/// Any thread may read it.
///
/// Since 0.1.0.
#[derive(Debug)]
pub struct pt2_error {
    code: pt2_status,
    message: Cow<'static, CStr>,
    input: Option<CString>,
}

/// Static error for calls that have no memory for another.
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

/// Runs the body of a function on an error. It needs no memory, and so no variables of the thread.
fn guard_error<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(otherwise)
}

/// Returns the kind of an error.
///
/// # Parameters
/// - `error`: The error, or NULL.
///
/// # Returns
/// A `pt2_status`, or 0 for NULL. A newer library may return numbers that this header does
/// not list.
///
/// # Ownership
/// `error` is borrowed.
///
/// # Thread safety
/// Thread-safe: any number of threads may read an error at the same time.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_error_code(error: *const pt2_error) -> i32 {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    guard_error(0, || unsafe { error.as_ref() }.map_or(0, |error| error.code as i32))
}

/// Returns the message of an error.
///
/// The message is one sentence in UTF-8. It names the input, node or entry that caused the error,
/// and says what to do.
///
/// # Parameters
/// - `error`: The error, or NULL.
///
/// # Returns
/// A NUL-terminated string, never NULL. It is empty if `error` is NULL.
///
/// # Ownership
/// `error` is borrowed. The string belongs to the error and is valid until the error is freed.
///
/// # Thread safety
/// Thread-safe: any number of threads may read an error at the same time.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_error_message(error: *const pt2_error) -> *const c_char {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    let message = || unsafe { error.as_ref() }.map(|error| error.message.as_ptr());
    guard_error(c"".as_ptr(), || message().unwrap_or(c"".as_ptr()))
}

/// Returns the name of the input that caused the error.
///
/// # Parameters
/// - `error`: The error, or NULL.
///
/// # Returns
/// The path name of the input, such as `args[0]`. NULL if no single input caused the error,
/// or if `error` is NULL.
///
/// # Ownership
/// `error` is borrowed. The string belongs to the error and is valid until the error is freed.
///
/// # Thread safety
/// Thread-safe: any number of threads may read an error at the same time.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_error_input(error: *const pt2_error) -> *const c_char {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    let input = || unsafe { error.as_ref() }.and_then(|error| error.input.as_ref());
    guard_error(ptr::null(), || input().map_or(ptr::null(), |text| text.as_ptr()))
}

/// Frees an error.
///
/// # Parameters
/// - `error`: The error to free. NULL does nothing.
///
/// # Ownership
/// Takes ownership of `error`, which must not be used or freed again.
///
/// # Thread safety
/// Any thread may free an error. Not thread-safe: no other thread may use the error during the
/// call.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_error_free(error: *mut pt2_error) {
    guard_error((), || {
        if !error.is_null() && !ptr::eq(error, &EXHAUSTED) {
            // SAFETY: `give` made it with Box::into_raw, and the C caller frees it once.
            drop(unsafe { Box::from_raw(error) });
        }
    });
}
