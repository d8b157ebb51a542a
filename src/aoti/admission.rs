//! Admission control: a FIFO semaphore in front of compiled code.
//!
//! Containers of PyTorch 2.6 to 2.11 can deadlock when a caller waits inside them. It happens when
//! two threads make the first run together, or when a call fails while another waits for its
//! instance (`aoti_runtime/model_container.h`).
//!
//! So callers wait here instead. The first calls enter alone until one has succeeded, and no more
//! calls enter than there are instances. Callers enter in order of arrival, so none starves.

use crate::lock::lock;
use std::sync::{Condvar, Mutex, PoisonError};

/// FIFO semaphore with this number of places.
#[derive(Debug)]
pub struct Admission {
    places: usize,
    queue: Mutex<FifoQueue>,
    moved: Condvar,
}

#[derive(Debug, Default)]
struct FifoQueue {
    /// Ticket of the next caller to arrive.
    next: u64,
    /// Ticket of the caller that enters next.
    turn: u64,
    /// Number of places taken.
    inside: usize,
    /// True once a call has succeeded.
    warm: bool,
}

/// Admission of one caller, which ends when this is dropped.
#[derive(Debug)]
pub struct Permit<'a> {
    admission: &'a Admission,
    taken: usize,
}

impl Admission {
    /// Creates a semaphore with this number of places, at least one.
    pub fn new(places: usize) -> Admission {
        Admission { places: places.max(1), queue: Mutex::default(), moved: Condvar::new() }
    }

    /// Waits for admission of a call.
    pub fn acquire(&self) -> Permit<'_> {
        self.wait(|queue, places| if queue.warm { 1 } else { places })
    }

    /// Waits for exclusive admission: earlier callers have left, and later ones wait.
    pub fn acquire_all(&self) -> Permit<'_> {
        self.wait(|_, places| places)
    }

    fn wait(&self, needs: impl Fn(&FifoQueue, usize) -> usize) -> Permit<'_> {
        let mut queue = lock(&self.queue);
        let number = queue.next;
        queue.next += 1;
        // The number of places needed may fall while waiting, because the first run may end.
        while queue.turn != number || queue.inside + needs(&queue, self.places) > self.places {
            queue = self.moved.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        let taken = needs(&queue, self.places);
        queue.inside += taken;
        queue.turn += 1;
        drop(queue);
        self.moved.notify_all();
        Permit { admission: self, taken }
    }
}

impl Permit<'_> {
    /// Records that a call succeeded, so that later calls need not be alone.
    pub fn succeeded(&self) {
        lock(&self.admission.queue).warm = true;
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        lock(&self.admission.queue).inside -= self.taken;
        self.admission.moved.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    #[test]
    fn first_calls_are_alone_and_later_ones_no_more_than_the_places() {
        let (admission, inside, most) = (Admission::new(3), AtomicUsize::new(0), AtomicUsize::new(0));
        let call = |succeeds: bool| {
            let turn = admission.acquire();
            let now = inside.fetch_add(1, SeqCst) + 1;
            most.fetch_max(now, SeqCst);
            thread::sleep(Duration::from_millis(2));
            inside.fetch_sub(1, SeqCst);
            if succeeds {
                turn.succeeded();
            }
        };
        let together = |succeeds: bool| {
            most.store(0, SeqCst);
            thread::scope(|scope| (0..20).for_each(|_| drop(scope.spawn(|| call(succeeds)))));
            most.load(SeqCst)
        };
        assert_eq!(together(false), 1);
        together(true);
        assert_eq!(together(true), 3);
    }

    #[test]
    fn whoever_wants_to_be_alone_is_not_overtaken() {
        let admission = Admission::new(2);
        admission.acquire().succeeded();
        let first = admission.acquire();
        let (said, heard) = mpsc::channel();
        thread::scope(|scope| {
            let (admission, later) = (&admission, said.clone());
            scope.spawn(move || {
                let _alone = admission.acquire_all();
                said.send("alone").unwrap();
            });
            while lock(&admission.queue).next < 3 {
                thread::yield_now();
            }
            scope.spawn(move || {
                let _inside = admission.acquire();
                later.send("later").unwrap();
            });
            while lock(&admission.queue).next < 4 {
                thread::yield_now();
            }
            assert!(heard.try_recv().is_err());
            drop(first);
            assert_eq!((heard.recv().unwrap(), heard.recv().unwrap()), ("alone", "later"));
        });
    }
}
