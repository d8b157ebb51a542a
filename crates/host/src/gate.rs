//! Gate: counts calls in flight, and ends them at exit and fork of the process.
//!
//! `docs/contributing/decisions/process.md` has the whole picture.

use std::cell::Cell;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Maximum time that an exit of the process waits for calls in flight.
pub const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Interval at which the exit checks that all calls have left.
const POLL: Duration = Duration::from_millis(1);

/// Number of counters. Each has its own cache line, so that threads do not contend for one.
const SHARDS: usize = 16;

/// Gate that admits calls until the process exits, or is the child of a fork.
///
/// There is one gate in each library: the exiting thread's own calls are counted per thread, not
/// per gate.
#[derive(Debug)]
pub struct Gate {
    state: AtomicU8,
    shards: [Shard; SHARDS],
}

/// Counter with its own cache line, and the one that the processor prefetches with it.
#[derive(Debug)]
#[repr(align(128))]
struct Shard(AtomicI64);

const OPEN: u8 = 0;
const EXITING: u8 = 1;
/// The exit proceeded while calls were in flight.
const LATE: u8 = 2;
const FORKED: u8 = 3;

/// Reason why a gate admits no call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// The process is exiting.
    Exiting,
    /// The process was forked after the library had been opened.
    Forked,
}

/// Call in flight, until it is dropped.
#[derive(Debug)]
pub struct InFlightCall<'a> {
    gate: &'a Gate,
    shard: usize,
}

thread_local! {
    static SHARD: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS
    };
    /// Calls that this thread is in.
    static OWN: Cell<i64> = const { Cell::new(0) };
}

impl Gate {
    /// Creates an open gate without calls.
    pub const fn new() -> Gate {
        Gate { state: AtomicU8::new(OPEN), shards: [const { Shard(AtomicI64::new(0)) }; SHARDS] }
    }

    /// Admits a call. The same thread may be in several calls.
    #[inline]
    pub fn enter(&self) -> Result<InFlightCall<'_>, Closed> {
        let pass = InFlightCall { gate: self, shard: SHARD.with(|shard| *shard) };
        self.shards[pass.shard].0.fetch_add(1, Ordering::SeqCst);
        OWN.set(OWN.get() + 1);
        // Either this load sees the closed gate, or the thread that closes it sees the count.
        match self.closed() {
            None => Ok(pass),
            Some(closed) => Err(closed),
        }
    }

    /// Returns the reason why the gate admits no call, or None while it is open.
    #[inline]
    pub fn closed(&self) -> Option<Closed> {
        match self.state.load(Ordering::SeqCst) {
            OPEN => None,
            FORKED => Some(Closed::Forked),
            _ => Some(Closed::Exiting),
        }
    }

    /// Returns true if the calling thread holds a pass.
    #[inline]
    pub fn is_inside(&self) -> bool {
        OWN.get() > 0
    }

    /// Ends a call in flight between two operators once the gate is closed.
    ///
    /// Never returns if an exit has proceeded without the call, because libtorch is being destroyed
    /// then.
    #[inline]
    pub fn checkpoint(&self) -> Result<(), Closed> {
        match self.closed() {
            None => Ok(()),
            Some(closed) => {
                while self.state.load(Ordering::SeqCst) == LATE {
                    thread::park();
                }
                Err(closed)
            }
        }
    }

    /// Closes the gate and waits until every call of another thread has left, at most for
    /// `LONGEST_WAIT`. The handler of the process's exit calls this.
    pub fn close(&self) {
        self.close_within(LONGEST_WAIT);
    }

    fn close_within(&self, most: Duration) {
        if self.state.compare_exchange(OPEN, EXITING, Ordering::SeqCst, Ordering::SeqCst).is_err() {
            return;
        }
        let start = Instant::now();
        while self.in_flight() > OWN.get() {
            if start.elapsed() >= most {
                self.state.store(LATE, Ordering::SeqCst);
                return;
            }
            thread::sleep(POLL);
        }
    }

    /// Marks the child of a fork, which has only one of the threads that libtorch knows. The
    /// handler of `pthread_atfork` calls this.
    pub fn mark_forked(&self) {
        self.state.store(FORKED, Ordering::SeqCst);
    }

    /// Returns true if any call is in flight.
    pub fn is_occupied(&self) -> bool {
        self.in_flight() > 0
    }

    fn in_flight(&self) -> i64 {
        self.shards.iter().map(|shard| shard.0.load(Ordering::SeqCst)).sum()
    }
}

impl Default for Gate {
    fn default() -> Gate {
        Gate::new()
    }
}

impl Drop for InFlightCall<'_> {
    #[inline]
    fn drop(&mut self) {
        OWN.set(OWN.get() - 1);
        self.gate.shards[self.shard].0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;
    use std::sync::mpsc::channel;

    #[test]
    fn closing_waits_for_other_threads_and_not_for_its_own_calls() {
        let gate = Gate::new();
        let done = AtomicBool::new(false);
        let (entered, wait) = channel();
        thread::scope(|scope| {
            scope.spawn(|| {
                let _pass = gate.enter().unwrap();
                entered.send(()).unwrap();
                while gate.checkpoint().is_ok() {
                    thread::yield_now();
                }
                thread::sleep(Duration::from_millis(50));
                done.store(true, Ordering::SeqCst);
            });
            wait.recv().unwrap();
            let _own = gate.enter().unwrap();
            gate.close();
            assert!(done.load(Ordering::SeqCst));
            assert_eq!(gate.enter().unwrap_err(), Closed::Exiting);
        });
        assert_eq!((gate.in_flight(), OWN.get()), (0, 0));
    }

    #[test]
    fn a_call_that_stays_is_left_behind() {
        static GATE: Gate = Gate::new();
        let (entered, wait) = channel();
        let late = thread::spawn(move || {
            let _pass = GATE.enter().unwrap();
            entered.send(()).unwrap();
            thread::sleep(Duration::from_millis(100));
            GATE.checkpoint()
        });
        wait.recv().unwrap();
        GATE.close_within(Duration::from_millis(10));
        thread::sleep(Duration::from_millis(200));
        assert!(!late.is_finished() && GATE.in_flight() == 1);
    }

    #[test]
    fn a_forked_child_admits_nothing_and_waits_for_nobody() {
        let gate = Gate::new();
        std::mem::forget(gate.enter().unwrap());
        OWN.set(0);
        gate.mark_forked();
        gate.close();
        assert_eq!((gate.enter().unwrap_err(), gate.checkpoint()), (Closed::Forked, Err(Closed::Forked)));
    }
}
