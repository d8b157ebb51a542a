//! Opening of the core by the first call, and exit and fork of the process meanwhile.
//!
//! An exit waits for it, because libtorch's initialisers and destructors must not run at the same
//! time. A child that is forked meanwhile has no thread that would finish.

use crate::missing::{EXITING, FORKED};
use libc::{c_int, c_void};
use once_cell::sync::OnceCell;
use pt2_host::{Closed, Gate, InFlightCall};
use std::ptr;

static OPENING: Gate = Gate::new();

/// Ends calls in flight and refuses later ones (`crates/core`).
type Close = unsafe extern "C" fn();

static CLOSE: OnceCell<Close> = OnceCell::new();

/// Has the core end its calls when the main thread exits. `close` is a function of the opened core.
pub fn close_at_exit(close: Close) {
    CLOSE.get_or_init(|| close);
}

/// Admits a thread that opens the core, or waits for the one that does. The error is the reason why
/// no call can open it any more.
pub fn enter() -> Result<InFlightCall<'static>, (i32, &'static str)> {
    static REGISTERED: OnceCell<()> = OnceCell::new();
    REGISTERED.get_or_init(register);
    OPENING.enter().map_err(|closed| match closed {
        Closed::Exiting => (EXITING, "the process is exiting"),
        Closed::Forked => (FORKED, "this process was forked while its parent was opening it"),
    })
}

fn register() {
    // SAFETY: the handler uses atomics, the clock and sleep only, and this library is never
    // unloaded.
    unsafe { libc::atexit(close) };
    // SAFETY: the handler uses atomics only, which a child of a process with threads may do.
    unsafe { libc::pthread_atfork(None, None, Some(forked)) };
}

/// Handles an exit that another thread begins before or after libtorch's initialisers.
extern "C" fn close() {
    OPENING.close();
}

/// Makes an exit of the main thread wait first. Its thread-local destructors run at exit only:
/// after `pthread_exit`, the C library calls them when the last thread has ended
/// (`__libc_start_call_main`, glibc 2.36).
extern "C" fn wait_in_main_thread() {
    type Register =
        unsafe extern "C" fn(unsafe extern "C" fn(*mut c_void), *mut c_void, *const c_void) -> c_int;
    // SAFETY: both functions take no arguments.
    let is_main = unsafe { libc::gettid() == libc::getpid() };
    // SAFETY: the name is NUL-terminated. musl has no such function.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"__cxa_thread_atexit_impl".as_ptr()) };
    if is_main && !found.is_null() {
        // SAFETY: the C library declares the function with this type. Any address in this library
        // may identify it.
        unsafe {
            let register: Register = std::mem::transmute(found);
            register(close_first, ptr::null_mut(), (&raw const OPENING).cast());
        }
    }
}

unsafe extern "C" fn close_first(_: *mut c_void) {
    OPENING.close();
    if let Some(close) = CLOSE.get() {
        // SAFETY: it takes nothing, and the core is never unloaded.
        unsafe { close() }
    }
}

#[used]
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = wait_in_main_thread;

unsafe extern "C" fn forked() {
    if OPENING.is_occupied() {
        OPENING.mark_forked();
    }
}
