//! Verifies stored bytes against their checksums, in threads beside other work.

use super::storage_index::StorageIndex;
use crate::archive::Slice;
use crate::parallel::MOST_THREADS;
use crate::weights::pickle::SavedTensor;
use crate::{Error, Result, reserve, timeline};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{Builder, JoinHandle, available_parallelism};

/// Ongoing verification, in as many threads as there are other cores.
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
    /// Starts to verify the bytes of these tensors, each storage once.
    pub fn of(tensors: &[SavedTensor]) -> Verification {
        let slices = StorageIndex::of(tensors).into_slices();
        let others = available_parallelism().map_or(0, |cores| usize::from(cores) - 1);
        let others = if reserve::may_begin_threads() { others } else { 0 };
        let helpers = others.min(MOST_THREADS - 1).min(slices.len());
        let work = Arc::new(Work { slices, next: AtomicUsize::new(0) });
        let call = reserve::helper();
        let help = |_| {
            let work = Arc::clone(&work);
            // If a thread does not start or has no memory, the caller of `finish` does its work.
            let go_on = move || call.try_run(|| work.go_on()).map_or(Ok(()), |(result, _)| result);
            Builder::new().name("pt2-checksums".into()).spawn(go_on).ok()
        };
        let helpers = (0..helpers).filter_map(help).collect();
        Verification { work, helpers }
    }

    /// Takes part until all slices are verified. Returns an error if one differs from its checksum.
    pub fn finish(mut self) -> Result<()> {
        let own = self.work.go_on();
        let died = |_| Err(Error::Internal { reason: "a thread that compares checksums died".into() });
        self.helpers.drain(..).fold(own, |result, thread| result.and(thread.join().unwrap_or_else(died)))
    }
}

impl Drop for Verification {
    /// Stops the threads, so that none outlives a failed load.
    fn drop(&mut self) {
        self.work.next.store(self.work.slices.len(), Ordering::Relaxed);
        for thread in self.helpers.drain(..) {
            // The load has failed already, so the result is irrelevant.
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
