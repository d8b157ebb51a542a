//! Tracks calls of libtorch in flight, which end when the process exits or forks.
//!
//! Handlers registered while libtorch's libraries were loaded destroy libtorch. The handler here is
//! registered later, so it runs before them. A forked child has one thread, so libtorch's pools
//! would wait for threads that do not exist.

use super::{ffi, generated_code, symbol_binding};
use libc::c_void;
use once_cell::sync::OnceCell;
use pt2_format::{Error, Result};
use pt2_host::{Closed, Gate, InFlightCall, ThreadStorage, reserve};
use std::ffi::CStr;
use std::thread::{self, Builder};

static CALLS: Gate = Gate::new();
static READY: OnceCell<Result<(), String>> = OnceCell::new();

/// Admits work that uses libtorch, on any thread, until the returned value is dropped. See
/// [`ready`].
#[inline]
pub fn enter() -> Result<InFlightCall<'static>> {
    let call = CALLS.enter().map_err(refused)?;
    ready()?;
    Ok(call)
}

/// Prepares the process for libtorch, once.
///
/// Binds libtorch's libraries to each other, registers handlers for exit and fork, and disables
/// oneDNN where generated code is forbidden. An error has the reason why libtorch cannot be used.
#[inline]
pub fn ready() -> Result<()> {
    let reason = |reason: &String| Error::Libtorch { reason: reason.clone() };
    READY.get_or_init(prepare).as_ref().copied().map_err(reason)
}

/// Runs work that does not use libtorch at first. Meanwhile a thread prepares the process, unless
/// that was done before. [`ready`] waits for it.
pub fn prepare_beside<T>(work: impl FnOnce() -> T) -> T {
    if READY.get().is_some() {
        return work();
    }
    thread::scope(|scope| {
        // Without the thread, the first call of `ready` prepares.
        let _ = Builder::new().name("pt2-binding".into()).spawn_scoped(scope, || drop(ready()));
        work()
    })
}

/// Returns true if the calling thread is in a call or in work that belongs to one.
#[inline]
pub fn is_inside() -> bool {
    CALLS.is_inside()
}

/// Ends a call between two operators if the process is exiting or was forked.
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
    // SAFETY: the handler only stores to an atomic, which is allowed in a forked child of any
    // process.
    unsafe { libc::pthread_atfork(None, None, Some(mark_forked)) };
    symbol_binding::bind_libtorch()?;
    register_exit_handler();
    if !generated_code::is_allowed() {
        // SAFETY: the call sets a flag of libtorch. A host loses nothing, because oneDNN cannot
        // work in this process.
        unsafe { ffi::shim_disable_onednn() };
    }
    Ok(())
}

/// Makes exit wait for calls before it runs any handler registered so far. Called after a library
/// is loaded.
pub(super) extern "C" fn register_exit_handler() {
    ThreadStorage::library_was_opened();
    symbol_binding::call_first_at_exit(close);
}

/// Registers the handler when this library is loaded, because exit may begin before the first call.
#[used]
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = register_exit_handler;

/// Binds libtorch's CUDA libraries, which were loaded later, to the others.
pub(super) fn bind_cuda() -> Result<(), String> {
    symbol_binding::bind_libtorch()?;
    register_exit_handler();
    Ok(())
}

/// Hooks a library that was loaded.
pub(super) fn hook_file(file: &CStr) {
    // SAFETY: `RTLD_NOLOAD` only finds a loaded library, so no initialiser runs. The handle is
    // never closed.
    let handle = unsafe { libc::dlopen(file.as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD) };
    if !handle.is_null() {
        // SAFETY: the line above opened the handle.
        unsafe { symbol_binding::hook_library(handle) };
    }
    register_exit_handler();
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
