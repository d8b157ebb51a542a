//! Work that is shared between threads.

use pt2_host::reserve;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{Builder, ScopedJoinHandle, available_parallelism, scope};

/// Limit on threads. More of them do not increase memory bandwidth.
pub const MOST_THREADS: usize = 8;

/// Returns the number of threads to use for `items` items.
pub fn threads_for(items: usize) -> usize {
    available_parallelism().map_or(1, usize::from).min(MOST_THREADS).min(items)
}

/// Runs `work` on every item, on several threads if that pays. The calling thread is one of them.
///
/// `start` makes the state that each thread keeps between items. A thread ends at its first error,
/// and the error of the first such thread in order of start is the result.
pub fn for_each<T: Sync, S, E: Send>(
    items: &[T],
    start: impl Fn() -> Result<S, E> + Sync,
    work: impl Fn(&mut S, &T) -> Result<(), E> + Sync,
) -> Result<(), E> {
    let next = AtomicUsize::new(0);
    let take = || items.get(next.fetch_add(1, Ordering::Relaxed));
    let go_on = || -> Result<(), E> {
        let Some(mut item) = take() else { return Ok(()) };
        let mut state = start()?;
        loop {
            work(&mut state, item)?;
            match take() {
                Some(another) => item = another,
                None => return Ok(()),
            }
        }
    };
    scope(|scope| {
        // If a thread cannot be started or has no memory, the others process its items.
        let call = reserve::helper();
        let help = |_| Builder::new().spawn_scoped(scope, move || call.try_run(go_on)).ok();
        let threads = if reserve::may_begin_threads() { threads_for(items.len()) } else { 1 };
        let helpers: Vec<_> = (1..threads).filter_map(help).collect();
        let own = go_on();
        let join = |result: Result<(), E>, helper: ScopedJoinHandle<'_, Option<(Result<(), E>, bool)>>| {
            let Some((other, taken)) = helper.join().unwrap_or_else(|panic| resume_unwind(panic)) else {
                return result;
            };
            reserve::note(taken);
            result.and(other)
        };
        helpers.into_iter().fold(own, join)
    })
}

/// Minimum number of bytes whose processing takes longer than starting a thread.
pub const WORTH_A_THREAD: usize = 4 << 20;

/// Runs `here` on this thread and `other`, which processes about `bytes` bytes, on a second thread.
/// Runs `other` first on this thread if a second thread does not pay or cannot be started.
pub fn join<T>(bytes: usize, other: impl Fn() + Sync, here: impl FnOnce() -> T) -> T {
    scope(|scope| {
        let worth = bytes >= WORTH_A_THREAD && available_parallelism().is_ok_and(|count| count.get() > 1);
        if !worth || Builder::new().spawn_scoped(scope, &other).is_err() {
            other();
        }
        here()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_are_done_with_and_without_another_thread() {
        for bytes in [0, WORTH_A_THREAD] {
            let done = AtomicUsize::new(0);
            let other = || {
                done.fetch_add(1, Ordering::Relaxed);
            };
            assert_eq!(join(bytes, other, || 7), 7);
            assert_eq!(done.into_inner(), 1);
        }
    }

    #[test]
    fn every_item_is_worked_on_once() {
        let items: Vec<AtomicUsize> = (0..1000).map(|_| AtomicUsize::new(0)).collect();
        let count = |_: &mut (), item: &AtomicUsize| {
            item.fetch_add(1, Ordering::Relaxed);
            Ok::<(), ()>(())
        };
        for_each(&items, || Ok(()), count).unwrap();
        assert!(items.iter().all(|item| item.load(Ordering::Relaxed) == 1));
        for_each(&[], || Err("nothing to start for"), |(), (): &()| Ok(())).unwrap();
    }

    #[test]
    fn an_error_is_told_whoever_has_it() {
        let items: Vec<usize> = (0..1000).collect();
        for bad in [0, 500, 999] {
            let work = |(): &mut (), item: &usize| if *item == bad { Err(*item) } else { Ok(()) };
            assert_eq!(for_each(&items, || Ok(()), work), Err(bad));
        }
    }
}
