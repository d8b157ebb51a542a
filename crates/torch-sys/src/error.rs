//! Exceptions, caught before they reach Rust.

use libc::c_char;

/// Exception that a function caught.
pub enum ShimError {}

/// Kind of an exception.
#[repr(i32)]
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

/// Exception that a test asks for.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestException {
    /// `c10::Error`.
    Check,
    /// `std::bad_alloc`.
    BadAlloc,
    /// `c10::OutOfMemoryError`.
    DeviceOutOfMemory,
    /// `c10::AcceleratorError` after a device-side assert.
    DeviceAssert,
    /// An int.
    Int,
    /// `std::runtime_error`.
    Runtime,
}

unsafe extern "C" {
    /// Returns the kind of an error.
    pub fn shim_error_kind(error: *const ShimError) -> FailureKind;

    /// Returns the message of an error, without libtorch's backtrace. It lives as long as the error.
    pub fn shim_error_message(error: *const ShimError, length: *mut usize) -> *const c_char;

    /// Frees an error.
    pub fn shim_error_free(error: *mut ShimError);

    /// Throws an exception and returns its error, for tests.
    pub fn shim_error_provoke(exception: TestException) -> *mut ShimError;
}
