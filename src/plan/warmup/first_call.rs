//! Sizes of a model's first call, for the warm-up threads.

use crate::lock::lock;
use crate::program::Bindings;
use once_cell::sync::OnceCell;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Values of the symbols in the first call, once it has started. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct FirstCall(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// None if there will be no call.
    bindings: OnceCell<Option<Bindings>>,
    waiting: Mutex<()>,
    came: Condvar,
}

impl FirstCall {
    /// Reports the start of a call; only the first counts.
    pub fn came(&self, bindings: Bindings) {
        self.settle(Some(bindings));
    }

    /// Reports that no first call will start any more.
    pub fn is_over(&self) {
        self.settle(None);
    }

    /// Returns true if no first call will start, so that preparing for it is useless.
    pub fn never_comes(&self) -> bool {
        self.0.bindings.get().is_some_and(Option::is_none)
    }

    /// Returns the values of the first call, if it has started.
    pub fn get(&self) -> Option<&Bindings> {
        self.0.bindings.get()?.as_ref()
    }

    fn settle(&self, bindings: Option<Bindings>) {
        if self.0.bindings.set(bindings).is_ok() {
            let _waiting = lock(&self.0.waiting);
            self.0.came.notify_all();
        }
    }

    /// Waits until the first call starts or is ruled out, at most this long.
    pub fn wait(&self, most: Duration) {
        let waiting = lock(&self.0.waiting);
        let coming = |_: &mut ()| self.0.bindings.get().is_none();
        drop(self.0.came.wait_timeout_while(waiting, most, coming).unwrap_or_else(PoisonError::into_inner));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn whoever_waits_goes_on_when_it_comes() {
        let call = FirstCall::default();
        call.wait(Duration::from_millis(1));
        assert_eq!(call.get(), None);
        let (start, other) = (Instant::now(), call.clone());
        let waiting = std::thread::spawn(move || other.wait(Duration::from_secs(600)));
        call.came(vec![Some(3)]);
        call.came(vec![Some(4)]);
        waiting.join().unwrap();
        assert!(start.elapsed() < Duration::from_secs(300));
        call.is_over();
        assert_eq!((call.get(), call.never_comes()), (Some(&vec![Some(3)]), false));
    }

    #[test]
    fn whoever_waits_in_vain_goes_on_too() {
        let call = FirstCall::default();
        let (start, other) = (Instant::now(), call.clone());
        let waiting = std::thread::spawn(move || other.wait(Duration::from_secs(600)));
        call.is_over();
        waiting.join().unwrap();
        assert!(start.elapsed() < Duration::from_secs(300) && call.never_comes());
    }
}
