//! Cancellation of the calling thread (`pthread_cancel`).

use libc::c_int;
use std::ptr;

/// `PTHREAD_CANCEL_DISABLE` and `PTHREAD_CANCEL_DEFERRED` (bits/pthread.h of glibc and musl).
const DISABLE: c_int = 1;
const DEFERRED: c_int = 0;

unsafe extern "C-unwind" {
    /// Acts on a pending asynchronous cancellation when it enables: the forced unwinding begins in
    /// this call.
    fn pthread_setcancelstate(state: c_int, before: *mut c_int) -> c_int;
    /// Acts like `pthread_setcancelstate` when it makes the type asynchronous.
    fn pthread_setcanceltype(kind: c_int, before: *mut c_int) -> c_int;
}

/// Runs `body` with cancellation disabled, of either type, and restores the thread's state.
///
/// A request that arrives meanwhile remains pending. It acts at the next cancellation point, or at
/// once if the type is asynchronous.
///
/// `body` must not unwind, and no frame between this one and the host's may have anything to drop.
/// libtorch's locks are free by then, and a forced unwinding passes only frames without clean-up.
#[inline(always)]
pub fn without_cancellation<T: Copy>(body: impl FnOnce() -> T) -> T {
    let (mut kind, mut state): (c_int, c_int) = (0, 0);
    // A signal that was sent while cancellation was enabled acts by the type alone
    // (`sigcancel_handler` of glibc 2.36).
    // SAFETY: both constants are valid states, and the pointers are to locals.
    unsafe {
        pthread_setcanceltype(DEFERRED, &mut kind);
        pthread_setcancelstate(DISABLE, &mut state);
    }
    let result = body();
    // SAFETY: the kind and the state were read from the thread above.
    unsafe {
        pthread_setcancelstate(state, ptr::null_mut());
        pthread_setcanceltype(kind, ptr::null_mut());
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_disabled_and_restored() {
        let state = || {
            let mut state = 0;
            // SAFETY: the state is valid, and the pointer is to a local.
            unsafe { pthread_setcancelstate(DISABLE, &mut state) };
            // SAFETY: the state was read from the thread above.
            unsafe { pthread_setcancelstate(state, ptr::null_mut()) };
            state
        };
        assert_eq!((state(), without_cancellation(|| without_cancellation(state)), state()), (0, DISABLE, 0));
    }
}
