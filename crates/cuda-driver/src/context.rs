//! Primary context of a device, created while large libraries load.
//!
//! Starting the driver and creating the context take most of the time of a process before its first
//! output. A thread overlaps them with loading.

use crate::Driver;
use std::thread::{self, Builder, JoinHandle};
use std::time::Duration;

/// Time between the start of the driver and the load of a large library. The driver calls the
/// dynamic loader in its first milliseconds. The load of a large library holds the loader's lock
/// for about 100 ms.
const HEAD_START: Duration = Duration::from_millis(20);

/// Thread that creates a context. Dropping it waits for the thread, because a process must not end
/// while it runs.
#[derive(Debug)]
pub struct Context(Option<JoinHandle<()>>);

impl Context {
    /// Starts a thread with `make`, which calls [`retain`], and returns once a large library may be
    /// loaded. None if the driver is missing or no thread can be created.
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
        // A panic of the thread is ignored: libtorch reports its own failure where it needs the
        // device.
        self.0.take().into_iter().for_each(|thread| drop(thread.join()));
    }
}

/// Creates the primary context of a device. A failure is ignored, because libtorch fails again
/// where it needs the device, and reports it there.
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
