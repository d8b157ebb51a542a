//! Exceptions of libtorch, as the shim reports them.

use super::ffi;
pub use ffi::FailureKind;
use pt2_format::Error;

/// Exception of libtorch, caught before it reached Rust.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Kind of the exception.
    pub kind: FailureKind,
    /// libtorch's message, without its C++ backtrace.
    pub message: String,
}

impl Failure {
    /// Returns the error for work that belongs to no node.
    pub fn outside_node(self) -> Error {
        self.into_error(|reason| Error::Internal { reason })
    }

    /// Returns the error of a failure. `other` makes it, unless memory is exhausted or the device
    /// is lost.
    pub fn into_error(self, other: impl FnOnce(String) -> Error) -> Error {
        let reason = self.message;
        match self.kind {
            FailureKind::Failed => other(reason),
            FailureKind::OutOfMemory => Error::OutOfMemory { reason },
            FailureKind::DeviceOutOfMemory => Error::DeviceOutOfMemory { reason },
            FailureKind::DeviceLost => Error::DeviceLost { reason },
        }
    }

    pub(super) fn exhausted() -> Failure {
        Failure { kind: FailureKind::OutOfMemory, message: "the host has no memory left".into() }
    }
}

/// Converts an error of the shim, and frees it.
#[inline]
pub(super) fn check(error: *mut ffi::ShimError) -> Result<(), Failure> {
    if error.is_null() { Ok(()) } else { Err(taken(error)) }
}

/// Takes the failure out of an error that is not NULL, and frees the error.
#[cold]
fn taken(error: *mut ffi::ShimError) -> Failure {
    let mut length = 0;
    // SAFETY: this call owns `error`, whose message is valid until it is freed below.
    unsafe {
        let text = ffi::shim_error_message(error, &mut length);
        let bytes = std::slice::from_raw_parts(text.cast::<u8>(), length);
        let message = String::from_utf8_lossy(bytes).trim().to_string();
        let kind = ffi::shim_error_kind(error);
        ffi::shim_error_free(error);
        Failure { kind, message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exception_becomes_its_kind() {
        use ffi::TestException as Thrown;
        for (thrown, kind) in [
            (Thrown::Check, FailureKind::Failed),
            (Thrown::BadAlloc, FailureKind::OutOfMemory),
            (Thrown::DeviceOutOfMemory, FailureKind::DeviceOutOfMemory),
            (Thrown::DeviceAssert, FailureKind::DeviceLost),
            (Thrown::Int, FailureKind::Failed),
            (Thrown::Runtime, FailureKind::Failed),
        ] {
            // SAFETY: the shim throws and catches inside the call.
            let failure = check(unsafe { ffi::shim_error_provoke(thrown) }).unwrap_err();
            assert_eq!(failure.kind, kind, "{failure:?}");
            assert!(!failure.message.is_empty());
        }
    }
}
