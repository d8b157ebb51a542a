//! Fused fallback, for tests: computes a failed fused call by libtorch's operators one by one.

use super::ffi;

/// Runs `body` while every fused call of this thread falls back.
pub fn forced<T>(body: impl FnOnce() -> T) -> T {
    let _undo = Forced::begin();
    body()
}

/// Returns the number of calls of this thread that fell back so far.
pub fn count() -> u64 {
    // SAFETY: the call reads a number of this thread.
    unsafe { ffi::shim_fused_fallbacks() }
}

struct Forced;

impl Forced {
    fn begin() -> Forced {
        // SAFETY: the call sets a flag of this thread.
        unsafe { ffi::shim_fused_calls_fail(true) };
        Forced
    }
}

impl Drop for Forced {
    fn drop(&mut self) {
        // SAFETY: the call sets a flag of this thread.
        unsafe { ffi::shim_fused_calls_fail(false) }
    }
}
