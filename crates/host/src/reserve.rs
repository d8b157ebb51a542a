//! Allocator of the shared library, with a reserve for calls that run out of memory.
//!
//! Rust's collections abort the process when the system refuses them memory. Inside a call of the C
//! ABI, this allocator continues with memory of a reserve until the call reaches a [`check`], and
//! fails there. A call that reaches no check succeeds.
//!
//! The reserve consists of the library's own zeroed pages, which cost nothing until they are
//! touched. It is complete again once the memory that a failed call took is freed. Beyond the
//! reserve, and for blocks larger than its largest, the process aborts.

mod area;

use crate::ThreadStorage;
use area::Area;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr;

/// Size of the reserve in bytes.
pub const SIZE: usize = 32 << 20;
/// Maximum size of a block in bytes.
pub const LARGEST: usize = 8 << 20;

static AREA: Area = Area::new();

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
#[inline]
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
    ///
    /// Returns None without running it if the call may not take from the reserve in this thread,
    /// which lacks memory for its variables.
    pub fn try_run<T>(self, body: impl FnOnce() -> T) -> Option<(T, bool)> {
        (!self.0 || ThreadStorage::allocate()).then(|| self.run(body))
    }

    /// As [`Helper::try_run`], but runs the body in any case, outside of the call if need be.
    pub fn run<T>(self, body: impl FnOnce() -> T) -> (T, bool) {
        if self.0 && ThreadStorage::allocate() { within(|| (body(), TAKEN.get())) } else { (body(), false) }
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
        if block.is_null() { take(layout.size(), layout.align()) } else { block }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller of `alloc_zeroed` upholds the contract of `GlobalAlloc::alloc_zeroed`.
        let mut block = unsafe { self.0.alloc_zeroed(layout) };
        if block.is_null() {
            block = take(layout.size(), layout.align());
            if !block.is_null() {
                // SAFETY: `take` returned a block of this size, which no other caller has. It may
                // have been used before.
                unsafe { block.write_bytes(0, layout.size()) };
            }
        }
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if contains(block) {
            give_back(block);
        } else {
            // SAFETY: it came from the inner allocator with this layout.
            unsafe { self.0.dealloc(block, layout) };
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !contains(block) {
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
pub fn take(size: usize, alignment: usize) -> *mut u8 {
    if size > LARGEST || !refuse() {
        return ptr::null_mut();
    }
    AREA.take(size, alignment).unwrap_or(ptr::null_mut())
}

/// Marks the call as refused memory. Returns true if this thread is inside of a call, which then
/// fails.
pub fn refuse() -> bool {
    // A thread without storage is in no call, and the access would allocate its thread-local
    // variables.
    ThreadStorage::is_allocated() && refuse_inside()
}

/// Separate function: compilers move the lookup of a thread-local variable ahead of conditions.
#[inline(never)]
fn refuse_inside() -> bool {
    let is_inside = CALLS.get() > 0;
    TAKEN.set(TAKEN.get() || is_inside);
    is_inside
}

/// Returns true if the block belongs to the reserve.
#[inline]
pub fn contains(block: *const u8) -> bool {
    AREA.contains(block)
}

/// Frees a block of the reserve.
pub fn give_back(block: *const u8) {
    AREA.give(block);
}

/// Returns the size in bytes of a block of the reserve.
pub fn size_of(block: *const u8) -> usize {
    AREA.size_of(block)
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

    /// Runs the body like a call.
    fn within<T>(body: impl FnOnce() -> T) -> T {
        assert!(ThreadStorage::allocate());
        super::within(body)
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
        assert!(AREA.is_whole());
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
                assert!(reserve.alloc(layout(LARGEST + 1, 8)).is_null());
                let large: Vec<*mut u8> = (0..5).map(|_| reserve.alloc(layout(LARGEST, 4096))).collect();
                assert!(!large[3].is_null() && large[4].is_null());
                reserve.dealloc(large[1], layout(LARGEST, 4096));
                assert!(reserve.alloc(layout(LARGEST, 4096)) == large[1] && size_of(large[1]) == LARGEST);
                large[..4].iter().for_each(|block| reserve.dealloc(*block, layout(LARGEST, 4096)));
            }
        });
        assert!(AREA.is_whole());
    }

    #[test]
    fn helpers_take_for_the_call() {
        let _alone = ALONE.lock().unwrap();
        let take = |helper: Helper| {
            helper.run(|| {
                // SAFETY: the layout has a size.
                let block = unsafe { Reserve(Empty).alloc(layout(8, 8)) };
                if !block.is_null() {
                    give_back(block);
                }
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
