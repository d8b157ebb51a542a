//! Verifies stored bytes against their checksums, in threads beside other work.

use super::storage_index::StorageIndex;
use crate::archive::Slice;
use crate::parallel::MOST_THREADS;
use crate::weights::pickle::SavedTensor;
use crate::{Error, Result, reserve, timeline};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{Builder, JoinHandle, available_parallelism};

/// A comparison that goes on in as many threads as there are cores beside the caller's.
#[derive(Debug)]
pub struct Verification {
    work: Arc<Work>,
    helpers: Vec<JoinHandle<Result<()>>>,
}

#[derive(Debug)]
struct Work {
    slices: Vec<Slice>,
    next: AtomicUsize,
}

impl Verification {
    /// Begins with the bytes of these tensors, each storage once.
    pub fn of(tensors: &[SavedTensor]) -> Verification {
        Verification::begin(StorageIndex::of(tensors).into_slices())
    }

    /// Begins with the first of them.
    pub(super) fn begin(slices: Vec<Slice>) -> Verification {
        let others = available_parallelism().map_or(0, |cores| usize::from(cores) - 1);
        let others = if reserve::may_begin_threads() { others } else { 0 };
        let helpers = others.min(MOST_THREADS - 1).min(slices.len());
        let work = Arc::new(Work { slices, next: AtomicUsize::new(0) });
        let call = reserve::helper();
        let help = |_| {
            let work = Arc::clone(&work);
            // A thread that cannot be had is no loss: whoever finishes does what is left.
            Builder::new().name("pt2-checksums".into()).spawn(move || call.run(|| work.go_on()).0).ok()
        };
        let helpers = (0..helpers).filter_map(help).collect();
        Verification { work, helpers }
    }

    /// Takes part until all are compared; the error of one that differs.
    pub fn finish(mut self) -> Result<()> {
        let own = self.work.go_on();
        let died = |_| Err(Error::Internal { reason: "a thread that compares checksums died".into() });
        self.helpers.drain(..).fold(own, |result, thread| result.and(thread.join().unwrap_or_else(died)))
    }
}

impl Drop for Verification {
    /// No thread outlives a load that failed.
    fn drop(&mut self) {
        self.work.next.store(self.work.slices.len(), Ordering::Relaxed);
        for thread in self.helpers.drain(..) {
            // Nobody asks for the answer any more.
            let _ = thread.join();
        }
    }
}

impl Work {
    fn go_on(&self) -> Result<()> {
        while let Some(slice) = self.slices.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            timeline::span("verify", || slice.verify())?;
        }
        Ok(())
    }
}
