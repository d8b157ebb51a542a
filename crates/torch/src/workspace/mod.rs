//! Workspace: host memory that calls allocate from, kept for the next call.
//!
//! The C library returns large blocks to the system when they are freed, and the system zeroes the
//! next ones page by page. A workspace reuses the same pages instead. Blocks that outlive a call,
//! such as outputs, are kept until they are freed.

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

/// Size below which the C library allocates blocks, because it caches them (initial
/// `M_MMAP_THRESHOLD` of glibc).
const LEAST: usize = 128 << 10;
/// Alignment of blocks.
const PAGE: usize = 4 << 10;
/// Number of consecutive small calls after which unused pages are freed.
const PATIENCE: u32 = 8;

/// Memory that one call at a time allocates from.
#[derive(Debug)]
pub struct Workspace(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared(Mutex<WorkspaceState>);

#[derive(Debug, Default)]
struct WorkspaceState {
    chunks: Vec<Chunk>,
    free: FreeList,
    /// Bytes in use; the most in this call; the most since pages were freed.
    used: usize,
    peak: usize,
    kept: usize,
    /// Consecutive calls that needed less than half of `kept`.
    small_calls: u32,
    abandoned: bool,
}

/// Block in use.
struct Block {
    owner: Arc<Shared>,
    length: usize,
}

/// All blocks in use, by address.
static BLOCKS: Lazy<Mutex<HashMap<usize, Block>>> = Lazy::new(Mutex::default);

impl Default for Workspace {
    /// Creates an empty workspace, which grows on demand.
    fn default() -> Workspace {
        static INSTALLED: OnceCell<()> = OnceCell::new();
        // SAFETY: both functions fulfil the contract of the shim and are never unloaded.
        let install = || check(unsafe { ffi::shim_host_memory_install(take, give, LEAST) });
        // On failure, libtorch's own allocator serves all blocks.
        INSTALLED.get_or_init(|| install().unwrap_or_default());
        Workspace(Arc::default())
    }
}

impl Workspace {
    /// Makes libtorch allocate this thread's large blocks here until the returned value is dropped.
    pub fn enter(&self) -> Working {
        let workspace = Arc::clone(&self.0);
        // SAFETY: the returned guard keeps the workspace alive as long as the pointer is set.
        let previous = unsafe { ffi::shim_host_memory_enter(Arc::as_ptr(&workspace).cast()) };
        Working { workspace, previous, _one_thread: PhantomData }
    }
}

impl Drop for Workspace {
    /// Frees all pages except those of blocks in use.
    fn drop(&mut self) {
        let mut state = lock(&self.0.0);
        state.abandoned = true;
        state.discard_free();
    }
}

/// Guard of a thread that allocates from a workspace.
#[derive(Debug)]
pub struct Working {
    workspace: Arc<Shared>,
    previous: *const c_void,
    _one_thread: PhantomData<*const ()>,
}

impl Drop for Working {
    fn drop(&mut self) {
        // SAFETY: `previous` is NULL or kept alive by an outer guard, and guards of a thread end in
        // reverse order.
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

    /// Maps a chunk of at least half the current size, so that chunks are few. Its pages are
    /// allocated on first write.
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

/// Returns a block of at least this size, or NULL.
///
/// # Safety
/// `workspace` must be a pointer that `Workspace::enter` has set and whose guard is alive.
unsafe extern "C" fn take(workspace: *const c_void, bytes: usize) -> *mut c_void {
    // SAFETY: the guard keeps the workspace alive by this function's contract, and the block takes
    // a reference of its own.
    let workspace = unsafe {
        Arc::increment_strong_count(workspace.cast::<Shared>());
        Arc::from_raw(workspace.cast::<Shared>())
    };
    let Some(length) = bytes.checked_next_multiple_of(PAGE) else { return ptr::null_mut() };
    let Some(start) = lock(&workspace.0).take(length) else { return ptr::null_mut() };
    lock(&BLOCKS).insert(start, Block { owner: workspace, length });
    ptr::with_exposed_provenance_mut(start)
}

/// Takes a block back. Returns false for a block that no workspace owns.
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
            // SAFETY: the caller's reference keeps the workspace alive.
            unsafe { take(Arc::as_ptr(&workspace.0).cast(), bytes) }
        };
        assert!(!block.is_null() && block.addr() % PAGE == 0);
        // SAFETY: the block has this number of bytes.
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
        // The first call allocates the space that all later calls reuse.
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
            // SAFETY: `workspace` is alive.
            assert!(unsafe { take(Arc::as_ptr(&workspace.0).cast(), bytes) }.is_null());
        }
        assert!(give(block(&workspace, MIB)));
    }
}
