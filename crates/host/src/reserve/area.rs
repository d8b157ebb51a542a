//! Fixed memory from which blocks of any size are cut.

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// Unit of allocation: blocks begin and end at its multiples.
const GRANULE: usize = 64;
/// Alignment of the area, and the maximum for a block.
const ALIGNMENT: usize = 4096;
const WORDS: usize = super::SIZE / GRANULE / 64;
const GRANULES: usize = WORDS * 64;
/// Number of attempts to lock the area. In a forked child, a thread of the parent may hold the
/// lock.
const ATTEMPTS: usize = 100_000;

/// First-fit allocator over an array. It keeps a bit for each granule in use and one for each
/// granule that ends a block, so a block is freed by its address alone.
pub struct Area {
    memory: Memory,
    locked: AtomicBool,
    maps: UnsafeCell<Maps>,
}

#[repr(C, align(4096))]
struct Memory(UnsafeCell<MaybeUninit<[u8; super::SIZE]>>);

struct Maps {
    used: [u64; WORDS],
    ends: [u64; WORDS],
}

// SAFETY: each block belongs to one caller, and the maps are accessed under the lock only.
unsafe impl Sync for Area {}

impl Area {
    /// Creates an area without blocks.
    pub const fn new() -> Self {
        Area {
            memory: Memory(UnsafeCell::new(MaybeUninit::uninit())),
            locked: AtomicBool::new(false),
            maps: UnsafeCell::new(Maps { used: [0; WORDS], ends: [0; WORDS] }),
        }
    }

    /// Allocates a block of at least one byte. Returns None if there is no room.
    pub fn take(&self, size: usize, alignment: usize) -> Option<*mut u8> {
        if alignment > ALIGNMENT || size > super::SIZE {
            return None;
        }
        let count = size.div_ceil(GRANULE).max(1);
        let first = self.locked(|maps| maps.take(count, alignment.div_ceil(GRANULE).max(1)))??;
        // SAFETY: the granule lies inside of the memory.
        Some(unsafe { self.start().add(first * GRANULE) })
    }

    /// Frees a block of this area. A block whose area cannot be locked is lost.
    pub fn give(&self, block: *const u8) {
        let first = (block.addr() - self.start().addr()) / GRANULE;
        self.locked(|maps| maps.give(first));
    }

    /// Returns the size of a block of this area in bytes, or 0 if the area cannot be locked.
    pub fn size_of(&self, block: *const u8) -> usize {
        let first = (block.addr() - self.start().addr()) / GRANULE;
        self.locked(|maps| (maps.end_of(first) - first) * GRANULE).unwrap_or(0)
    }

    /// Returns true if the address is in this area.
    #[inline]
    pub fn contains(&self, block: *const u8) -> bool {
        block.addr().wrapping_sub(self.start().addr()) < super::SIZE
    }

    /// Returns true if no block is in use.
    #[cfg(test)]
    pub fn is_whole(&self) -> bool {
        self.locked(|maps| maps.used.iter().all(|word| *word == 0)).unwrap_or(false)
    }

    #[inline]
    fn start(&self) -> *mut u8 {
        self.memory.0.get().cast()
    }

    fn locked<T>(&self, body: impl FnOnce(&mut Maps) -> T) -> Option<T> {
        let lock = || self.locked.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed);
        (0..ATTEMPTS).find(|_| {
            let locked = lock().is_ok();
            if !locked {
                thread::yield_now();
            }
            locked
        })?;
        // SAFETY: only the thread that holds the lock reaches this, and the body does not lock
        // again.
        let result = body(unsafe { &mut *self.maps.get() });
        self.locked.store(false, Ordering::Release);
        Some(result)
    }
}

impl Maps {
    fn take(&mut self, count: usize, step: usize) -> Option<usize> {
        let mut first = 0;
        loop {
            first = next(&self.used, true, first).next_multiple_of(step);
            let end = first.checked_add(count).filter(|end| *end <= GRANULES)?;
            match next(&self.used, false, first) {
                used if used < end => first = used,
                _ => {
                    self.mark(first..end, true);
                    set(&mut self.ends, end - 1, true);
                    return Some(first);
                }
            }
        }
    }

    fn give(&mut self, first: usize) {
        let end = self.end_of(first);
        if end > first {
            self.mark(first..end, false);
            set(&mut self.ends, end - 1, false);
        }
    }

    fn end_of(&self, first: usize) -> usize {
        (next(&self.ends, false, first) + 1).min(GRANULES)
    }

    fn mark(&mut self, granules: Range<usize>, used: bool) {
        granules.for_each(|at| set(&mut self.used, at, used));
    }
}

/// Returns the first granule at or after `from` whose bit is set, or clear if `clear` is true.
/// Returns the number of granules if there is none.
fn next(map: &[u64; WORDS], clear: bool, from: usize) -> usize {
    let flip = if clear { u64::MAX } else { 0 };
    let mut word = from / 64;
    let mut skipped = u64::MAX << (from % 64);
    while let Some(bits) = map.get(word) {
        let found = (bits ^ flip) & skipped;
        if found != 0 {
            return word * 64 + found.trailing_zeros() as usize;
        }
        (word, skipped) = (word + 1, u64::MAX);
    }
    GRANULES
}

fn set(map: &mut [u64; WORDS], at: usize, value: bool) {
    if let Some(word) = map.get_mut(at / 64) {
        let bit = 1 << (at % 64);
        *word = if value { *word | bit } else { *word & !bit };
    }
}
