//! Value that a background thread computes while its owner continues.

use crate::lock::lock;
use crate::torch::process;
use crate::{Error, Result};
use once_cell::sync::OnceCell;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

/// Value that is computed once. Callers that need it earlier wait.
///
/// If computing fails, one caller gets the error and the next caller retries. Drop waits too,
/// because the process must not end while the thread uses a device.
pub struct Background<T> {
    made: OnceCell<T>,
    make: Arc<dyn Fn() -> Result<T> + Send + Sync>,
    making: Mutex<Option<JoinHandle<Result<T>>>>,
}

impl<T: Send + 'static> Background<T> {
    /// Starts to compute the value. Computes it before returning if no thread can be started.
    pub fn begin(make: impl Fn() -> Result<T> + Send + Sync + 'static) -> Result<Background<T>> {
        let make: Arc<dyn Fn() -> Result<T> + Send + Sync> = Arc::new(make);
        let work = Arc::clone(&make);
        let work = move || {
            let _call = process::enter()?;
            work()
        };
        match Builder::new().name("pt2-weights".into()).spawn(work) {
            Ok(thread) => Ok(Background { made: OnceCell::new(), make, making: Mutex::new(Some(thread)) }),
            Err(_) => Ok(Background { made: OnceCell::with_value(make()?), make, making: Mutex::default() }),
        }
    }

    /// Returns the value, or the error of computing it.
    pub fn get(&self) -> Result<&T> {
        self.made.get_or_try_init(|| match lock(&self.making).take() {
            Some(thread) => thread.join().unwrap_or_else(|_| Err(died())),
            None => (self.make)(),
        })
    }
}

impl<T> Drop for Background<T> {
    fn drop(&mut self) {
        if let Some(thread) = self.making.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = thread.join();
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Background<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Deferred").field(&self.made.get()).finish()
    }
}

fn died() -> Error {
    Error::Internal { reason: "the thread that computes constants died".into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Fails this many times, then returns the number of attempts.
    fn failing(times: usize) -> Background<usize> {
        let tried = AtomicUsize::new(0);
        let make = move || match tried.fetch_add(1, Ordering::Relaxed) {
            before if before < times => Err(Error::DeviceOutOfMemory { reason: format!("{before}") }),
            before => Ok(before + 1),
        };
        Background::begin(make).unwrap()
    }

    #[test]
    fn everyone_gets_the_value() {
        let background = failing(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| assert_eq!(*background.get().unwrap(), 1));
            }
        });
    }

    #[test]
    fn an_error_is_told_once_and_then_it_is_tried_again() {
        let background = failing(2);
        for reported in ["0", "1"] {
            assert!(
                matches!(background.get(), Err(Error::DeviceOutOfMemory { reason }) if reason == reported)
            );
        }
        assert_eq!((*background.get().unwrap(), *background.get().unwrap()), (3, 3));
    }

    #[test]
    fn a_thread_that_panics_is_an_error() {
        let panicking = Background::<i32>::begin(|| std::panic::resume_unwind(Box::new(())));
        assert!(matches!(panicking.unwrap().get(), Err(Error::Internal { .. })));
    }

    #[test]
    fn nobody_has_to_ask() {
        drop(failing(0));
        let made = Background::begin(|| Ok(7)).unwrap();
        assert_eq!((made.get().copied().unwrap(), format!("{made:?}")), (7, "Deferred(Some(7))".into()));
    }
}
