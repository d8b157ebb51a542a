//! Locks that ignore poisoning, because their content is consistent wherever a holder can panic.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks the mutex, even if another thread panicked while it held the lock.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
