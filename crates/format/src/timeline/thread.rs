//! Threads by small numbers, in the order in which they were first seen.

use std::sync::atomic::{AtomicU64, Ordering};

static NEXT: AtomicU64 = AtomicU64::new(1);

thread_local! {
    static NUMBER: u64 = NEXT.fetch_add(1, Ordering::Relaxed);
}

/// The number of the calling thread.
pub fn number() -> u64 {
    // A thread that is being torn down has no number any more.
    NUMBER.try_with(|number| *number).unwrap_or(0)
}

/// What the calling thread is called.
pub fn name() -> String {
    std::thread::current().name().unwrap_or("unnamed").to_owned()
}
