//! Pool of objects that calls use one at a time.

use crate::lock::lock;
use once_cell::sync::Lazy;
use std::sync::Mutex;
use std::thread;

/// Idle objects, each of which keeps the memory of a call. The pool keeps at most one per core.
#[derive(Debug)]
pub struct Pool<T>(Mutex<Vec<T>>);

impl<T> Pool<T> {
    /// Takes the object that was put back last, whose memory is most likely in the cache.
    pub fn take(&self) -> Option<T> {
        lock(&self.0).pop()
    }

    pub fn put(&self, thing: T) {
        static MOST: Lazy<usize> = Lazy::new(|| thread::available_parallelism().map_or(1, usize::from));
        let mut things = lock(&self.0);
        if things.len() < *MOST {
            things.push(thing);
        }
    }
}

impl<T> Default for Pool<T> {
    fn default() -> Pool<T> {
        Pool(Mutex::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_are_kept_than_there_are_cores() {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let idle = Pool::default();
        (0..3 * cores).for_each(|number| idle.put(number));
        assert_eq!(
            std::iter::from_fn(|| idle.take()).collect::<Vec<_>>(),
            (0..cores).rev().collect::<Vec<_>>()
        );
    }
}
