//! Opening of the core by the first call, and exit and fork of the process meanwhile.
//!
//! An exit waits for it, because libtorch's initialisers and destructors must not run at the same
//! time. A child that is forked meanwhile has no thread that would finish.

use once_cell::sync::OnceCell;
use pt2_host::{Closed, Gate, Pass};

static OPENING: Gate = Gate::new();

/// Admits a thread that opens the core, or waits for the one that does. The error is the reason why
/// no call can open it any more.
pub fn enter() -> Result<Pass<'static>, &'static str> {
    static REGISTERED: OnceCell<()> = OnceCell::new();
    REGISTERED.get_or_init(register);
    OPENING.enter().map_err(|closed| match closed {
        Closed::Exiting => "the process is exiting",
        Closed::Forked => "this process was forked while its parent was opening it",
    })
}

fn register() {
    // SAFETY: the handler uses atomics, the clock and sleep only, and this library is never
    // unloaded.
    unsafe { libc::atexit(close) };
    // SAFETY: the handler uses atomics only, which a child of a process with threads may do.
    unsafe { libc::pthread_atfork(None, None, Some(forked)) };
}

extern "C" fn close() {
    OPENING.close();
}

unsafe extern "C" fn forked() {
    if OPENING.is_occupied() {
        OPENING.mark_forked();
    }
}
