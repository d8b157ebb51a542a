//! Small thread numbers, in order of first use.

use std::sync::atomic::{AtomicU64, Ordering};

static NEXT: AtomicU64 = AtomicU64::new(1);

thread_local! {
    static NUMBER: u64 = NEXT.fetch_add(1, Ordering::Relaxed);
}

/// Returns the number of the calling thread.
pub fn number() -> u64 {
    // A thread that is being torn down has lost its thread-local number.
    NUMBER.try_with(|number| *number).unwrap_or(0)
}

/// Returns the name of the calling thread.
pub fn name() -> String {
    std::thread::current().name().unwrap_or("unnamed").to_owned()
}
