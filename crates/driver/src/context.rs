//! A device's context, made while large libraries load.
//!
//! In a process without one the driver takes 200 to 400 ms, half of them to start. One after the other they are most of
//! what a process does before its first output.

use crate::Driver;
use std::thread::{self, Builder, JoinHandle};
use std::time::Duration;

/// The driver asks the dynamic loader for something in its first milliseconds. Whoever loads a large library meanwhile
/// holds the loader's lock for 100 ms, and the driver waits.
const HEAD_START: Duration = Duration::from_millis(20);

/// A thread that makes a context; dropping waits for it, for a process must not end while it runs.
#[derive(Debug)]
pub struct Context(Option<JoinHandle<()>>);

impl Context {
    /// Begins with `make`, which calls [`retain`], and returns once a large library may be loaded. None where the
    /// driver or a thread is missing.
    pub fn begin(make: impl FnOnce() + Send + 'static) -> Option<Context> {
        let is_under_way = Driver::is_open();
        if !Driver::is_there() {
            return None;
        }
        let thread = Builder::new().name("pt2-context".into()).spawn(make).ok()?;
        if !is_under_way {
            thread::sleep(HEAD_START);
        }
        Some(Context(Some(thread)))
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // A thread that panicked has nothing to say.
        self.0.take().into_iter().for_each(|thread| drop(thread.join()));
    }
}

/// Makes the primary context of a device. What fails here fails again where libtorch needs the device, and is reported
/// there.
pub fn retain(index: u16) {
    drop(Driver::start().and_then(|driver| driver.retain_primary_context(index)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn nothing_begins_without_a_driver() {
        let called = Arc::new(AtomicBool::new(false));
        let seen = called.clone();
        let context = Context::begin(move || seen.store(true, Ordering::SeqCst));
        assert_eq!(context.is_some(), Driver::is_there());
        drop(context);
        assert_eq!(called.load(Ordering::SeqCst), Driver::is_there());
    }
}
