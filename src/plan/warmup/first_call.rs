//! The sizes of a model's first call, for the warm-up threads.

use crate::lock::lock;
use crate::program::Bindings;
use once_cell::sync::OnceCell;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// The symbols' values in the first call, once it came. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct FirstCall(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// None where there will be no call.
    bindings: OnceCell<Option<Bindings>>,
    waiting: Mutex<()>,
    came: Condvar,
}

impl FirstCall {
    /// A call has come; only the first counts.
    pub fn came(&self, bindings: Bindings) {
        self.settle(Some(bindings));
    }

    /// None will come any more.
    pub fn is_over(&self) {
        self.settle(None);
    }

    /// Whether nobody needs what is prepared for it.
    pub fn never_comes(&self) -> bool {
        self.0.bindings.get().is_some_and(Option::is_none)
    }

    /// Its values, if it came.
    pub fn get(&self) -> Option<&Bindings> {
        self.0.bindings.get()?.as_ref()
    }

    fn settle(&self, bindings: Option<Bindings>) {
        if self.0.bindings.set(bindings).is_ok() {
            let _waiting = lock(&self.0.waiting);
            self.0.came.notify_all();
        }
    }

    /// Waits until that is known, but not for longer.
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
