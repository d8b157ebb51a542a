//! What calls use one at a time and leave to the next.

use crate::lock::lock;
use once_cell::sync::Lazy;
use std::sync::Mutex;
use std::thread;

/// Things that no call uses. Each keeps memory that calls worked in, so after a crowd most of them go: no more calls
/// than the processor has cores gain by it.
#[derive(Debug)]
pub struct Idle<T>(Mutex<Vec<T>>);

impl<T> Idle<T> {
    /// The one that was put back last, whose memory is the warmest.
    pub fn take(&self) -> Option<T> {
        lock(&self.0).pop()
    }

    pub fn put_back(&self, thing: T) {
        static MOST: Lazy<usize> = Lazy::new(|| thread::available_parallelism().map_or(1, usize::from));
        let mut things = lock(&self.0);
        if things.len() < *MOST {
            things.push(thing);
        }
    }
}

impl<T> Default for Idle<T> {
    fn default() -> Idle<T> {
        Idle(Mutex::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_are_kept_than_there_are_cores() {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let idle = Idle::default();
        (0..3 * cores).for_each(|number| idle.put_back(number));
        assert_eq!(
            std::iter::from_fn(|| idle.take()).collect::<Vec<_>>(),
            (0..cores).rev().collect::<Vec<_>>()
        );
    }
}
