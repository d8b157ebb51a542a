//! Allocator of the shared library, with a reserve for calls that run out of memory.
//!
//! Rust's collections abort the process when the system refuses them memory. Inside a call of the C
//! ABI, this allocator continues with memory of a reserve until the call reaches a [`check`], and
//! fails there. A call that reaches no check succeeds.
//!
//! The reserve consists of the library's own zeroed pages, which cost nothing until they are
//! touched. It is complete again once the memory that a failed call took is freed. Beyond the
//! reserve, and for blocks larger than its largest, the process aborts.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, UnsafeCell};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

/// Maximum size of blocks from the small regions.
pub const SMALL: usize = 256 << 10;
/// Maximum size of blocks from the large regions.
pub const LARGE: usize = 8 << 20;

static SMALL_REGIONS: [Region<SMALL>; 32] = [const { Region::new() }; 32];
static LARGE_REGIONS: [Region<LARGE>; 2] = [const { Region::new() }; 2];

thread_local! {
    /// Number of calls of the C ABI that this thread is inside of.
    static CALLS: Cell<usize> = const { Cell::new(0) };
    /// True if the outermost of them took from the reserve.
    static TAKEN: Cell<bool> = const { Cell::new(false) };
}

/// Runs the body as a call, which may take from the reserve.
pub fn within<T>(body: impl FnOnce() -> T) -> T {
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            CALLS.set(CALLS.get() - 1);
        }
    }
    if CALLS.replace(CALLS.get() + 1) == 0 {
        TAKEN.set(false);
    }
    let _leave = Leave;
    body()
}

/// Fails if the call that this thread is inside of took from the reserve. The caller must then drop
/// its partial results.
pub fn check() -> Result<(), Exhausted> {
    if TAKEN.get() && CALLS.get() > 0 { Err(Exhausted) } else { Ok(()) }
}

/// Error of a call to which the system refused memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exhausted;

/// Returns true if threads may be started. The standard library's own memory for them never comes
/// from the reserve, and is refused again where memory was refused before.
pub fn may_begin_threads() -> bool {
    check().is_ok()
}

/// State of a call for a thread that works for it.
#[derive(Clone, Copy)]
pub struct Helper(bool);

/// Returns the state of this thread's call, for threads that work for it.
pub fn helper() -> Helper {
    Helper(CALLS.get() > 0)
}

impl Helper {
    /// Runs the body as part of the call. Also returns true if the body took from the reserve.
    pub fn run<T>(self, body: impl FnOnce() -> T) -> (T, bool) {
        match self.0 {
            true => within(|| (body(), TAKEN.get())),
            false => (body(), false),
        }
    }
}

/// Counts memory that a helper took as taken by this thread.
pub fn note(taken: bool) {
    TAKEN.set(TAKEN.get() || taken);
}

/// Allocator that falls back to the reserve inside of a call.
#[derive(Debug, Default)]
pub struct Reserve<A = System>(A);

impl Reserve {
    /// Creates the allocator over the system's.
    pub const fn new() -> Self {
        Reserve(System)
    }
}

// SAFETY: blocks are from the inner allocator or from a region, which hands each byte out once
// until it is returned. The address determines the origin of a block, and the block returns there.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Reserve<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller of `alloc` upholds the contract of `GlobalAlloc::alloc`.
        let block = unsafe { self.0.alloc(layout) };
        if block.is_null() { take(layout) } else { block }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller of `alloc_zeroed` upholds the contract of `GlobalAlloc::alloc_zeroed`.
        let mut block = unsafe { self.0.alloc_zeroed(layout) };
        if block.is_null() {
            block = take(layout);
            if !block.is_null() {
                // SAFETY: `take` returned a block of this size, which no other caller has. It may
                // have been used before.
                unsafe { block.write_bytes(0, layout.size()) };
            }
        }
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if !give_back(block, layout) {
            // SAFETY: the block is outside the reserve, so the inner allocator returned it for this
            // layout.
            unsafe { self.0.dealloc(block, layout) };
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !is_ours(block) {
            // SAFETY: the inner allocator returned the block for this layout. The caller of
            // `realloc` upholds the rest of its contract.
            let moved = unsafe { self.0.realloc(block, layout, size) };
            if !moved.is_null() {
                return moved;
            }
        }
        // SAFETY: by the contract of `realloc`, `size` is not zero and does not overflow when
        // rounded up to the alignment.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        // SAFETY: `wanted` has a size that is not zero.
        let moved = unsafe { self.alloc(wanted) };
        if !moved.is_null() {
            // SAFETY: both blocks are live, do not overlap, and have at least this size.
            unsafe { ptr::copy_nonoverlapping(block, moved, layout.size().min(size)) };
            // SAFETY: the caller of `realloc` owns the block, which was allocated with this layout.
            unsafe { self.dealloc(block, layout) };
        }
        moved
    }
}

/// Returns a block of the reserve; NULL outside of calls, and if no region has room.
fn take(layout: Layout) -> *mut u8 {
    if CALLS.get() == 0 {
        return ptr::null_mut();
    }
    let small = || SMALL_REGIONS.iter().find_map(|region| region.take(layout));
    let large = || LARGE_REGIONS.iter().find_map(|region| region.take(layout));
    let block = if layout.size() <= SMALL { small().or_else(large) } else { large() };
    TAKEN.set(TAKEN.get() || block.is_some());
    block.unwrap_or(ptr::null_mut())
}

fn is_ours(block: *const u8) -> bool {
    SMALL_REGIONS.as_ptr_range().contains(&block.cast())
        || LARGE_REGIONS.as_ptr_range().contains(&block.cast())
}

/// Returns a block to the reserve. False if it is not from there.
fn give_back(block: *const u8, layout: Layout) -> bool {
    if !is_ours(block) {
        return false;
    }
    SMALL_REGIONS.iter().filter(|region| region.holds(block)).for_each(|region| region.give(block, layout));
    LARGE_REGIONS.iter().filter(|region| region.holds(block)).for_each(|region| region.give(block, layout));
    true
}

/// Memory from which blocks are cut one after the other. The place of the last block is free again
/// when it is returned, that of all others once all are returned.
#[repr(C, align(64))]
struct Region<const SIZE: usize> {
    memory: UnsafeCell<MaybeUninit<[u8; SIZE]>>,
    /// Start of the next block, and in the upper half the number of live blocks.
    state: AtomicU64,
}

// SAFETY: blocks of the memory are disjoint, because the atomic state assigns each byte to one
// block.
unsafe impl<const SIZE: usize> Sync for Region<SIZE> {}

/// One block in the upper half of the state.
const BLOCK: u64 = 1 << 32;

impl<const SIZE: usize> Region<SIZE> {
    const fn new() -> Self {
        Region { memory: UnsafeCell::new(MaybeUninit::uninit()), state: AtomicU64::new(0) }
    }

    fn start(&self) -> *mut u8 {
        self.memory.get().cast()
    }

    fn holds(&self, block: *const u8) -> bool {
        (self.start().addr()..self.start().addr() + SIZE).contains(&block.addr())
    }

    fn take(&self, layout: Layout) -> Option<*mut u8> {
        let mut begin = 0;
        let cut = |state: u64| {
            let free = self.start().addr() + (state % BLOCK) as usize;
            begin = free.checked_next_multiple_of(layout.align())? - self.start().addr();
            let end = begin.checked_add(layout.size()).filter(|end| *end <= SIZE)?;
            Some((state / BLOCK + 1) * BLOCK + end as u64)
        };
        self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, cut).ok()?;
        // SAFETY: the block is inside of the region.
        Some(unsafe { self.start().add(begin) })
    }

    fn give(&self, block: *const u8, layout: Layout) {
        let begin = block.addr() - self.start().addr();
        let less = |state: u64| {
            let (blocks, end) = (state / BLOCK, state % BLOCK);
            let last = end == (begin + layout.size()) as u64;
            let end = if last { begin as u64 } else { end };
            Some(if blocks <= 1 { 0 } else { (blocks - 1) * BLOCK + end })
        };
        // The closure never declines.
        let _ = self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// Inner allocator without memory.
    struct Empty;

    // SAFETY: it allocates nothing, so no block of it can be returned.
    unsafe impl GlobalAlloc for Empty {
        unsafe fn alloc(&self, _: Layout) -> *mut u8 {
            ptr::null_mut()
        }

        unsafe fn dealloc(&self, block: *mut u8, _: Layout) {
            assert!(block.is_null());
        }
    }

    /// Lock of the tests, because the process has one reserve.
    static ALONE: Mutex<()> = Mutex::new(());

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).unwrap()
    }

    fn all_free() -> bool {
        SMALL_REGIONS.iter().all(|region| region.state.load(Ordering::SeqCst) == 0)
            && LARGE_REGIONS.iter().all(|region| region.state.load(Ordering::SeqCst) == 0)
    }

    #[test]
    fn nothing_is_taken_outside_of_calls() {
        let _alone = ALONE.lock().unwrap();
        // SAFETY: the layout has a size.
        assert!(unsafe { Reserve(Empty).alloc(layout(8, 8)) }.is_null());
        assert!(within(check).is_ok() && check().is_ok());
    }

    #[test]
    fn blocks_are_apart_aligned_and_returned() {
        let _alone = ALONE.lock().unwrap();
        let work = |seed: u8| {
            within(|| {
                let (reserve, mut blocks) = (Reserve(Empty), Vec::new());
                for (turn, align) in [1, 8, 64, 4096].iter().cycle().take(200).enumerate() {
                    let wanted = layout(turn * 37 % 5000 + 1, *align);
                    // SAFETY: the layout has a size.
                    let block = unsafe { reserve.alloc(wanted) };
                    assert!(!block.is_null() && block.addr() % align == 0);
                    // SAFETY: the block has this size.
                    unsafe { block.write_bytes(seed ^ turn as u8, wanted.size()) };
                    blocks.push((block, wanted, seed ^ turn as u8));
                }
                assert!(check() == Err(Exhausted));
                for (block, wanted, byte) in blocks {
                    // SAFETY: the block is live, and large enough before and after it moves.
                    unsafe {
                        let grown = reserve.realloc(block, wanted, wanted.size() + 100);
                        assert!(
                            std::slice::from_raw_parts(grown, wanted.size())
                                .iter()
                                .all(|found| *found == byte)
                        );
                        reserve.dealloc(grown, layout(wanted.size() + 100, wanted.align()));
                    }
                }
            });
        };
        std::thread::scope(|scope| (0..4).for_each(|seed| drop(scope.spawn(move || work(seed << 6)))));
        assert!(all_free());
    }

    #[test]
    fn what_was_used_comes_back_zeroed_and_the_end_is_null() {
        let _alone = ALONE.lock().unwrap();
        within(|| {
            let reserve = Reserve(Empty);
            // SAFETY: layouts have sizes, and each block is written within its size and returned
            // once.
            unsafe {
                let one = reserve.alloc(layout(100, 8));
                one.write_bytes(7, 100);
                reserve.dealloc(one, layout(100, 8));
                let again = reserve.alloc_zeroed(layout(100, 8));
                assert!(again == one && std::slice::from_raw_parts(again, 100).iter().all(|byte| *byte == 0));
                reserve.dealloc(again, layout(100, 8));
                assert!(reserve.alloc(layout(LARGE + 1, 8)).is_null());
                let large: Vec<*mut u8> = (0..3).map(|_| reserve.alloc(layout(LARGE, 1))).collect();
                assert!(!large[1].is_null() && large[2].is_null());
                large[..2].iter().for_each(|block| reserve.dealloc(*block, layout(LARGE, 1)));
            }
        });
        assert!(all_free());
    }

    #[test]
    fn helpers_take_for_the_call() {
        let _alone = ALONE.lock().unwrap();
        let take = |helper: Helper| {
            helper.run(|| {
                // SAFETY: the layout has a size.
                let block = unsafe { Reserve(Empty).alloc(layout(8, 8)) };
                give_back(block, layout(8, 8));
                block.is_null()
            })
        };
        assert_eq!(std::thread::scope(|scope| scope.spawn(|| take(helper())).join().unwrap()), (true, false));
        within(|| {
            let call = helper();
            let (null, taken) = std::thread::scope(|scope| scope.spawn(move || take(call)).join().unwrap());
            assert!(!null && taken && check().is_ok());
            note(taken);
            assert!(check().is_err());
        });
    }
}
