//! Exceptions of libtorch, as the shim reports them.

use super::ffi;
use pt2_format::Error;

/// Kind of an exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// An operator or libtorch itself failed.
    Failed,
    /// Host memory is exhausted.
    OutOfMemory,
    /// Device memory is exhausted.
    DeviceOutOfMemory,
    /// The device's context is unusable from now on.
    DeviceLost,
}

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

    pub(super) fn of_tch(error: &tch::TchError) -> Failure {
        Failure { kind: FailureKind::Failed, message: error.to_string() }
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
        let kind = kind_of(ffi::shim_error_kind(error));
        ffi::shim_error_free(error);
        Failure { kind, message }
    }
}

fn kind_of(number: i32) -> FailureKind {
    match number {
        1 => FailureKind::OutOfMemory,
        2 => FailureKind::DeviceOutOfMemory,
        3 => FailureKind::DeviceLost,
        _ => FailureKind::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exception_becomes_its_kind() {
        use FailureKind::*;
        let kinds = [Failed, OutOfMemory, DeviceOutOfMemory, DeviceLost, Failed, Failed];
        for (what, kind) in kinds.into_iter().enumerate() {
            // SAFETY: the shim throws and catches inside the call.
            let failure = check(unsafe { ffi::shim_error_provoke(what as i32) }).unwrap_err();
            assert_eq!(failure.kind, kind, "{failure:?}");
            assert!(!failure.message.is_empty());
        }
    }
}
