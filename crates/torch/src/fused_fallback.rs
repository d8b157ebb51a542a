//! Fused fallback, as tests see it: a fused call that fails is computed by libtorch's operators one by one.

use super::ffi;

/// Runs `body` while every fused call of this thread falls back.
pub fn forced<T>(body: impl FnOnce() -> T) -> T {
    let _undo = Forced::begin();
    body()
}

/// How many calls of this thread fell back so far.
pub fn count() -> u64 {
    // SAFETY: reads a number of this thread.
    unsafe { ffi::shim_fused_fallbacks() }
}

struct Forced;

impl Forced {
    fn begin() -> Forced {
        // SAFETY: sets a flag of this thread.
        unsafe { ffi::shim_fused_calls_fail(true) };
        Forced
    }
}

impl Drop for Forced {
    fn drop(&mut self) {
        // SAFETY: as above.
        unsafe { ffi::shim_fused_calls_fail(false) }
    }
}
