//! Memory for calls that the system refuses memory.
//!
//! Rust's collections abort the process when an allocation fails, and libtorch, oneDNN and libgomp crash or abort in many
//! places. Inside a call of the C ABI an allocation that the system refuses is served from a reserve; the call fails at its
//! next [`check`]. Rust allocates through [`Reserve`], libtorch through `torch::binding`.
//!
//! The reserve is zeroed memory of the library, which costs nothing until it is touched. What libtorch keeps in caches stays
//! in it. Beyond the reserve, and for blocks larger than [`LARGEST`], allocations fail as before.

mod area;

use crate::ThreadStorage;
use area::Area;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr;

/// Size of the reserve.
pub const SIZE: usize = 32 << 20;
/// Larger blocks never come from the reserve.
pub const LARGEST: usize = 8 << 20;

static AREA: Area = Area::new();

thread_local! {
    /// Nested calls of the C ABI in this thread.
    static CALLS: Cell<usize> = const { Cell::new(0) };
    /// Whether the outermost of them took from the reserve.
    static TAKEN: Cell<bool> = const { Cell::new(false) };
}

/// Lets the body take from the reserve.
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

/// Fails if the call that this thread is inside of took from the reserve: what it has made so far is to be dropped.
pub fn check() -> Result<(), Exhausted> {
    if TAKEN.get() && CALLS.get() > 0 { Err(Exhausted) } else { Ok(()) }
}

/// The system has refused memory to this call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exhausted;

/// Whether to begin threads: where memory was refused before, that of a thread's stack is, too.
pub fn may_begin_threads() -> bool {
    check().is_ok()
}

/// What a thread that works for this call has to know.
#[derive(Clone, Copy)]
pub struct Helper(bool);

/// For threads that work for the call that this thread is inside of, if it is.
pub fn helper() -> Helper {
    Helper(CALLS.get() > 0)
}

impl Helper {
    /// Runs the body as part of the call. Returns with its result whether it took from the reserve.
    pub fn run<T>(self, body: impl FnOnce() -> T) -> (T, bool) {
        match self.0 && ThreadStorage::allocate() {
            true => within(|| (body(), TAKEN.get())),
            false => (body(), false),
        }
    }
}

/// Counts what a helper took as taken by this thread.
pub fn note(taken: bool) {
    TAKEN.set(TAKEN.get() || taken);
}

/// An allocator that falls back to the reserve inside of a call.
#[derive(Debug, Default)]
pub struct Reserve<A = System>(A);

impl Reserve {
    /// Over the system's allocator.
    pub const fn new() -> Self {
        Reserve(System)
    }
}

// SAFETY: blocks come from the inner allocator or from the area, which hands each byte out once until it is freed;
// the address decides which of the two frees a block.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Reserve<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `alloc`.
        let block = unsafe { self.0.alloc(layout) };
        if block.is_null() { take(layout.size(), layout.align()) } else { block }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        let mut block = unsafe { self.0.alloc_zeroed(layout) };
        if block.is_null() {
            block = take(layout.size(), layout.align());
            if !block.is_null() {
                // SAFETY: the block has this size; it may have been used before.
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
            // SAFETY: it came from the inner allocator with this layout; the caller keeps the rest of the contract.
            let moved = unsafe { self.0.realloc(block, layout, size) };
            if !moved.is_null() {
                return moved;
            }
        }
        // SAFETY: `size` is not zero and does not overflow, as the caller's contract says.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        // SAFETY: as above.
        let moved = unsafe { self.alloc(wanted) };
        if !moved.is_null() {
            // SAFETY: both blocks are live, apart, and at least this large.
            unsafe { ptr::copy_nonoverlapping(block, moved, layout.size().min(size)) };
            // SAFETY: the block is the caller's with this layout.
            unsafe { self.dealloc(block, layout) };
        }
        moved
    }
}

/// Cuts a block from the reserve. Returns NULL outside of calls, for large blocks, and where there is no room.
pub fn take(size: usize, alignment: usize) -> *mut u8 {
    if size > LARGEST || !refuse() {
        return ptr::null_mut();
    }
    AREA.take(size, alignment).unwrap_or(ptr::null_mut())
}

/// Counts memory that was refused as taken. Returns whether this thread is in a call, which fails then.
pub fn refuse() -> bool {
    // A thread without storage is in no call, and its variables would be allocated now.
    ThreadStorage::is_allocated() && refuse_inside()
}

/// Apart, for compilers move the look-up of a thread-local variable ahead of conditions.
#[inline(never)]
fn refuse_inside() -> bool {
    let is_inside = CALLS.get() > 0;
    TAKEN.set(TAKEN.get() || is_inside);
    is_inside
}

/// Whether the block is of the reserve.
#[inline]
pub fn contains(block: *const u8) -> bool {
    AREA.contains(block)
}

/// Frees a block of the reserve.
pub fn give_back(block: *const u8) {
    AREA.give(block);
}

/// Returns how many bytes a block of the reserve has.
pub fn size_of(block: *const u8) -> usize {
    AREA.size_of(block)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// A system without memory.
    struct Empty;

    // SAFETY: it allocates nothing, and nothing of it can be returned.
    unsafe impl GlobalAlloc for Empty {
        unsafe fn alloc(&self, _: Layout) -> *mut u8 {
            ptr::null_mut()
        }

        unsafe fn dealloc(&self, block: *mut u8, _: Layout) {
            assert!(block.is_null());
        }
    }

    /// The reserve is one for the process.
    static ALONE: Mutex<()> = Mutex::new(());

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).unwrap()
    }

    /// As a call does.
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
                    // SAFETY: the block is as large.
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
            // SAFETY: layouts have sizes, blocks are as large and are returned once.
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
