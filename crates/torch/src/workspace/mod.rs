//! Host memory that calls work in, kept from one call to the next.
//!
//! The C library gives large blocks back to the system when they are freed, and has the system fill the next with
//! zeros, page by page: 2 to 10 % of a forward on the CPU. A frame that has a workspace is given the same pages again. What
//! leaves a call, such as outputs, stays where it is until it is freed.

mod chunk;
mod free_list;

use super::failure::check;
use super::ffi;
use chunk::Chunk;
use free_list::FreeList;
use libc::c_void;
use once_cell::sync::{Lazy, OnceCell};
use pt2_format::lock::lock;
use std::collections::HashMap;
use std::marker::PhantomData;
use std::ptr;
use std::sync::{Arc, Mutex};

/// Smaller blocks are the C library's, which keeps them (glibc's `M_MMAP_THRESHOLD` begins here).
const LEAST: usize = 128 << 10;
/// Blocks begin and end with a page.
const PAGE: usize = 4 << 10;
/// After so many calls that needed less than half of what is kept, the rest is given back.
const PATIENCE: u32 = 8;

/// The memory of one call at a time.
#[derive(Debug)]
pub struct Workspace(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared(Mutex<WorkspaceState>);

#[derive(Debug, Default)]
struct WorkspaceState {
    chunks: Vec<Chunk>,
    free: FreeList,
    /// Bytes in use; the most in this call; the most since pages were given back.
    used: usize,
    peak: usize,
    kept: usize,
    /// Calls in a row that needed less than half of `kept`.
    small_calls: u32,
    abandoned: bool,
}

/// What is in use.
struct Block {
    owner: Arc<Shared>,
    length: usize,
}

/// All blocks that are in use, by their addresses.
static BLOCKS: Lazy<Mutex<HashMap<usize, Block>>> = Lazy::new(Mutex::default);

impl Default for Workspace {
    /// Without memory; libtorch's allocator asks for it.
    fn default() -> Workspace {
        static INSTALLED: OnceCell<()> = OnceCell::new();
        // SAFETY: both functions keep what the shim expects of them, and stay as long as the process.
        let install = || check(unsafe { ffi::shim_host_memory_install(take, give, LEAST) });
        // Without it, libtorch's own allocator serves all blocks.
        INSTALLED.get_or_init(|| install().unwrap_or_default());
        Workspace(Arc::default())
    }
}

impl Workspace {
    /// Large blocks that libtorch allocates in this thread come from here until what is returned is dropped.
    pub fn enter(&self) -> Working {
        let workspace = Arc::clone(&self.0);
        // SAFETY: the pointer is valid as long as it is set, for the guard keeps the workspace.
        let previous = unsafe { ffi::shim_host_memory_enter(Arc::as_ptr(&workspace).cast()) };
        Working { workspace, previous, _one_thread: PhantomData }
    }
}

impl Drop for Workspace {
    /// What is still in use keeps its pages, and no others.
    fn drop(&mut self) {
        let mut state = lock(&self.0.0);
        state.abandoned = true;
        state.discard_free();
    }
}

/// A thread that works in a workspace.
#[derive(Debug)]
pub struct Working {
    workspace: Arc<Shared>,
    previous: *const c_void,
    _one_thread: PhantomData<*const ()>,
}

impl Drop for Working {
    fn drop(&mut self) {
        // SAFETY: what was set before is kept by an outer guard, or NULL; guards of a thread end in turn.
        unsafe { ffi::shim_host_memory_enter(self.previous) };
        lock(&self.workspace.0).end_of_call();
    }
}

impl WorkspaceState {
    fn take(&mut self, length: usize) -> Option<usize> {
        let start = self.free.take(length).or_else(|| {
            let chunk = self.grown(length)?;
            self.free.give(chunk.start(), chunk.length());
            self.chunks.push(chunk);
            self.free.take(length)
        })?;
        self.used += length;
        self.peak = self.peak.max(self.used);
        Some(start)
    }

    fn give(&mut self, start: usize, length: usize) {
        self.used -= length;
        if self.abandoned {
            chunk::discard(start, length);
        }
        self.free.give(start, length);
    }

    /// Half as much as there is, so that chunks are few; only addresses until someone writes there.
    fn grown(&self, length: usize) -> Option<Chunk> {
        let all: usize = self.chunks.iter().map(Chunk::length).sum();
        Chunk::new(length.max((all / 2).next_multiple_of(PAGE))).or_else(|| Chunk::new(length))
    }

    fn end_of_call(&mut self) {
        self.small_calls = if self.peak < self.kept / 2 { self.small_calls + 1 } else { 0 };
        self.kept = self.kept.max(self.peak);
        if self.small_calls >= PATIENCE {
            self.discard_free();
            (self.kept, self.small_calls) = (self.peak, 0);
        }
        self.peak = self.used;
    }

    fn discard_free(&mut self) {
        self.free.ranges().for_each(|(start, length)| chunk::discard(start, length));
    }
}

/// A block of at least so many bytes, or NULL.
///
/// # Safety
/// `workspace` is what `enter` gave.
unsafe extern "C" fn take(workspace: *const c_void, bytes: usize) -> *mut c_void {
    // SAFETY: the caller's promise: the guard keeps the workspace, and this takes a share of its own.
    let workspace = unsafe {
        Arc::increment_strong_count(workspace.cast::<Shared>());
        Arc::from_raw(workspace.cast::<Shared>())
    };
    let Some(length) = bytes.checked_next_multiple_of(PAGE) else { return ptr::null_mut() };
    let Some(start) = lock(&workspace.0).take(length) else { return ptr::null_mut() };
    lock(&BLOCKS).insert(start, Block { owner: workspace, length });
    ptr::with_exposed_provenance_mut(start)
}

/// Takes a block back; false for one that is no workspace's.
extern "C" fn give(block: *mut c_void) -> bool {
    let found = lock(&BLOCKS).remove(&block.addr());
    found.is_some_and(|Block { owner, length }| {
        lock(&owner.0).give(block.addr(), length);
        true
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    fn block(workspace: &Workspace, bytes: usize) -> *mut c_void {
        let block = {
            // SAFETY: the workspace lives.
            unsafe { take(Arc::as_ptr(&workspace.0).cast(), bytes) }
        };
        assert!(!block.is_null() && block.addr() % PAGE == 0);
        // SAFETY: it has so many bytes.
        unsafe { block.cast::<u8>().write_bytes(7, bytes) };
        block
    }

    fn first_byte(block: *mut c_void) -> u8 {
        // SAFETY: the block is in use, or its chunk is still mapped.
        unsafe { block.cast::<u8>().read() }
    }

    #[test]
    fn the_same_blocks_come_again() {
        let workspace = Workspace::default();
        let call = || {
            let blocks = [5 * MIB, MIB, 3 * MIB].map(|bytes| block(&workspace, bytes));
            assert!(blocks.into_iter().all(|block| give(block)));
            lock(&workspace.0.0).end_of_call();
            blocks
        };
        // The first call makes the space in which all others are alike.
        call();
        let second = call();
        assert!((0..20).all(|_| call() == second));
        assert_eq!(first_byte(second[0]), 7);
    }

    #[test]
    fn a_block_outlives_its_workspace_and_others_pages_do_not() {
        let workspace = Workspace::default();
        let (kept, freed) = (block(&workspace, MIB), block(&workspace, 4 * MIB));
        assert!(give(freed));
        drop(workspace);
        assert_eq!((first_byte(kept), first_byte(freed)), (7, 0));
        assert!(give(kept));
        assert!(!give(kept));
    }

    #[test]
    fn calls_that_need_little_give_the_rest_back() {
        let workspace = Workspace::default();
        let end_of_call = || lock(&workspace.0.0).end_of_call();
        let large = block(&workspace, 64 * MIB);
        assert!(give(large));
        end_of_call();
        for call in 1..=PATIENCE {
            assert_eq!(first_byte(large.wrapping_byte_add(32 * MIB)), 7, "call {call}");
            assert!(give(block(&workspace, MIB)));
            end_of_call();
        }
        assert_eq!(first_byte(large.wrapping_byte_add(32 * MIB)), 0);
    }

    #[test]
    fn more_than_there_are_addresses_is_refused() {
        let workspace = Workspace::default();
        for bytes in [usize::MAX, usize::MAX / 2] {
            // SAFETY: the workspace lives.
            assert!(unsafe { take(Arc::as_ptr(&workspace.0).cast(), bytes) }.is_null());
        }
        assert!(give(block(&workspace, MIB)));
    }
}
