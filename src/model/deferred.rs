//! A value that a thread is making while its owner goes on.

use crate::lock::lock;
use crate::{Error, Result};
use once_cell::sync::OnceCell;
use std::sync::{Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

/// Made once; whoever asks before it is there waits. Dropping it waits too, for a process must not end while the
/// thread works on a device.
#[derive(Debug)]
pub struct Deferred<T> {
    made: OnceCell<Result<T, Failed>>,
    making: Mutex<Option<JoinHandle<Result<T>>>>,
}

/// An error that is told to everyone who asks.
struct Failed(Box<dyn Fn() -> Error + Send + Sync>);

impl<T: Send + 'static> Deferred<T> {
    /// A value that is there.
    pub fn made(value: T) -> Deferred<T> {
        Deferred { made: OnceCell::with_value(Ok(value)), making: Mutex::default() }
    }

    /// Begins to make it. Without a thread to be had it is made before this returns.
    pub fn begin(make: impl FnOnce() -> Result<T> + Send + 'static) -> Result<Deferred<T>> {
        let make = std::sync::Arc::new(Mutex::new(Some(make)));
        let take = {
            let make = std::sync::Arc::clone(&make);
            move || lock(&make).take()
        };
        let work = move || take().map_or_else(|| Err(died()), |make| make());
        match Builder::new().name("pt2-weights".into()).spawn(work) {
            Ok(thread) => Ok(Deferred { made: OnceCell::new(), making: Mutex::new(Some(thread)) }),
            Err(_) => {
                let make = lock(&make).take();
                Ok(Deferred::made(make.map_or_else(|| Err(died()), |make| make())?))
            }
        }
    }

    /// The value, or why it could not be made.
    pub fn get(&self) -> Result<&T> {
        self.made.get_or_init(|| self.join()).as_ref().map_err(|failed| failed.0())
    }

    fn join(&self) -> Result<T, Failed> {
        let thread = lock(&self.making).take();
        let made = thread.map_or_else(|| Err(died()), |thread| thread.join().unwrap_or_else(|_| Err(died())));
        made.map_err(Failed::new)
    }
}

impl<T> Drop for Deferred<T> {
    fn drop(&mut self) {
        if let Some(thread) = self.making.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = thread.join();
        }
    }
}

impl Failed {
    /// Errors are owned by one caller; what they say can be said again.
    fn new(error: Error) -> Failed {
        let reason = error.to_string();
        Failed(match error {
            Error::OutOfMemory { reason } => Box::new(move || Error::OutOfMemory { reason: reason.clone() }),
            Error::DeviceOutOfMemory { reason } => {
                Box::new(move || Error::DeviceOutOfMemory { reason: reason.clone() })
            }
            Error::DeviceLost { reason } => Box::new(move || Error::DeviceLost { reason: reason.clone() }),
            Error::Operator { node, target, reason, trace } => Box::new(move || Error::Operator {
                node: node.clone(),
                target: target.clone(),
                reason: reason.clone(),
                trace: trace.clone(),
            }),
            _ => Box::new(move || Error::Internal { reason: reason.clone() }),
        })
    }
}

impl std::fmt::Debug for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0().fmt(f)
    }
}

fn died() -> Error {
    Error::Internal { reason: "the thread that computes constants died".into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyone_gets_the_value() {
        let deferred = Deferred::begin(|| Ok(7)).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| assert_eq!(*deferred.get().unwrap(), 7));
            }
        });
    }

    #[test]
    fn everyone_gets_the_error() {
        let failing =
            Deferred::<i32>::begin(|| Err(Error::DeviceOutOfMemory { reason: "full".into() })).unwrap();
        for _ in 0..3 {
            assert!(matches!(failing.get(), Err(Error::DeviceOutOfMemory { reason }) if reason == "full"));
        }
    }

    #[test]
    fn a_thread_that_panics_is_an_error() {
        let panicking = Deferred::<i32>::begin(|| std::panic::resume_unwind(Box::new(())));
        assert!(matches!(panicking.unwrap().get(), Err(Error::Internal { .. })));
    }
}
