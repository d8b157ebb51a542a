//! Number of threads that a parallel region can have.
//!
//! libgomp ends the process when it cannot create a thread (`gomp_fatal` in `libgomp/team.c`, GCC
//! 12). Limits of a container or of a user can cause that. So libpt2 creates the threads itself
//! before it requests a larger team.

use crate::thread_storage::Room;
use libc::{c_void, pthread_t};
use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Time for which a success is valid: libgomp ends threads of a smaller team and creates them again
/// for a larger one.
const TRUSTED: Duration = Duration::from_secs(1);

/// Size of a team of threads.
#[derive(Debug)]
pub struct TeamSize;

#[derive(Clone, Copy)]
struct Known {
    /// Team of this thread's last region.
    last: u32,
    /// Largest team that was tried, its possible size, and the time.
    tried: Option<(u32, u32, Instant)>,
}

thread_local! {
    static KNOWN: Cell<Known> = const { Cell::new(Known { last: 1, tried: None }) };
}

impl TeamSize {
    /// Returns `wanted`, or the size of the largest team of the calling thread if that is smaller.
    pub fn affordable(wanted: u32) -> u32 {
        let known = KNOWN.get();
        if wanted <= known.last {
            KNOWN.set(Known { last: wanted.max(1), ..known });
            return wanted;
        }
        let trusted = known.tried.filter(|(size, _, at)| *size >= wanted && at.elapsed() < TRUSTED);
        let tried = trusted.unwrap_or_else(|| (wanted, 1 + creatable(wanted - 1), Instant::now()));
        let size = wanted.min(tried.1);
        KNOWN.set(Known { last: size, tried: Some(tried) });
        size
    }
}

/// State shared by the threads of a trial.
#[derive(Default)]
struct Trial {
    /// Locked until all threads were created.
    hold: Mutex<()>,
    /// Number of threads that had memory for their thread-local variables.
    equipped: AtomicUsize,
}

/// Returns how many of `wanted` threads can exist at once, with memory for their thread-local
/// variables. Creates them to find out.
fn creatable(wanted: u32) -> u32 {
    let trial = Trial::default();
    let held = trial.hold.lock().unwrap_or_else(PoisonError::into_inner);
    let context = (&raw const trial).cast_mut().cast::<c_void>();
    let create = |_| {
        let mut thread: pthread_t = 0;
        // SAFETY: the mutex outlives the thread, which is joined below. The attributes are the
        // default ones, like those of libgomp's threads.
        let result = unsafe { libc::pthread_create(&mut thread, ptr::null(), wait, context) };
        (result == 0).then_some(thread)
    };
    let threads: Vec<pthread_t> = (0..wanted).map_while(create).collect();
    drop(held);
    for thread in &threads {
        // SAFETY: the thread was created above and is joined once.
        unsafe { libc::pthread_join(*thread, ptr::null_mut()) };
    }
    u32::try_from(trial.equipped.into_inner()).unwrap_or(u32::MAX)
}

extern "C" fn wait(trial: *mut c_void) -> *mut c_void {
    // SAFETY: `creatable` passes its trial and joins this thread before it ends.
    let trial = unsafe { &*trial.cast::<Trial>() };
    let room = Room::new();
    trial.equipped.fetch_add(usize::from(room.is_some()), Ordering::Relaxed);
    drop(trial.hold.lock().unwrap_or_else(PoisonError::into_inner));
    ptr::null_mut()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn teams_grow_as_far_as_threads_can_be_had() {
        assert_eq!([4, 2, 4, 1, 8].map(TeamSize::affordable), [4, 2, 4, 1, 8]);
        assert_eq!(creatable(0), 0);
    }
}
