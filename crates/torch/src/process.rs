//! Calls of libtorch in flight, and what ends them: exit and fork of the process.
//!
//! libtorch is destroyed by handlers that ran over its libraries when they were loaded. The handler here is registered
//! later and so runs before them. A forked child has one thread: libtorch's pools wait for threads that are not there.

use super::{binding, ffi, generated_code};
use libc::c_void;
use once_cell::sync::OnceCell;
use pt2_format::{Error, Result};
use pt2_host::{Closed, Gate, Pass, ThreadStorage, reserve};
use std::ffi::CStr;

static CALLS: Gate = Gate::new();

/// Admits work that uses libtorch, on any thread, until what is returned is dropped. See [`ready`].
#[inline]
pub fn enter() -> Result<Pass<'static>> {
    let call = CALLS.enter().map_err(refused)?;
    ready()?;
    Ok(call)
}

/// Makes the process ready for libtorch, once: binds libtorch's libraries to each other, registers the handlers of exit
/// and fork, and does without generated code where it is denied. The error says why libtorch cannot be used.
#[inline]
pub fn ready() -> Result<()> {
    static READY: OnceCell<Result<(), String>> = OnceCell::new();
    let reason = |reason: &String| Error::Libtorch { reason: reason.clone() };
    READY.get_or_init(prepare).as_ref().copied().map_err(reason)
}

/// Whether the calling thread is inside of a call or of work that belongs to one.
#[inline]
pub fn is_inside() -> bool {
    CALLS.is_inside()
}

/// Ends a call between two operators where the process is exiting or was forked, or host memory ran out.
#[inline]
pub fn checkpoint() -> Result<()> {
    CALLS.checkpoint().map_err(refused)?;
    Ok(reserve::check()?)
}

#[cold]
fn refused(closed: Closed) -> Error {
    match closed {
        Closed::Exiting => Error::Exiting,
        Closed::Forked => Error::Forked,
    }
}

fn prepare() -> Result<(), String> {
    // SAFETY: the handler stores to an atomic, which a child of a process with threads may do.
    unsafe { libc::pthread_atfork(None, None, Some(mark_forked)) };
    binding::bind_libtorch()?;
    wait_at_exit();
    if !generated_code::is_allowed() {
        // SAFETY: sets a flag of libtorch's. Nothing that oneDNN does works in this process, so a host loses nothing.
        unsafe { ffi::shim_disable_onednn() };
    }
    Ok(())
}

/// Has the exit of the process wait for calls before it runs any handler that was registered by now: after a library
/// was loaded.
pub(super) extern "C" fn wait_at_exit() {
    ThreadStorage::library_was_opened();
    binding::call_first_at_exit(close);
}

/// libtorch was loaded before this library, and an exit may have begun meanwhile.
#[used]
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = wait_at_exit;

/// Binds libtorch's CUDA libraries, which were loaded later, to the others.
pub(super) fn bind_cuda() -> Result<(), String> {
    binding::bind_libtorch()?;
    wait_at_exit();
    Ok(())
}

/// Has a library that was loaded go through the hooks, too.
pub(super) fn hook_file(file: &CStr) {
    // SAFETY: the library is loaded, so that nothing is initialised; it is never closed.
    let handle = unsafe { libc::dlopen(file.as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD) };
    if !handle.is_null() {
        // SAFETY: the handle was opened by the line above.
        unsafe { binding::hook_library(handle) };
    }
    wait_at_exit();
}

/// Refuses calls from now on and waits for those in flight, as the handler of exit does.
pub fn end_calls() {
    CALLS.close();
}

/// The handler of the process's exit. It uses atomics and the clock only.
pub(super) extern "C" fn close(_: *mut c_void) {
    CALLS.close();
}

unsafe extern "C" fn mark_forked() {
    CALLS.mark_forked();
}
