//! Chunks: page ranges of the system.

use libc::{MAP_ANONYMOUS, MAP_NORESERVE, MAP_PRIVATE, PROT_READ, PROT_WRITE, c_void};
use std::ptr;

/// Mapped address range, whose pages are allocated when they are written to.
#[derive(Debug)]
pub struct Chunk {
    start: usize,
    length: usize,
}

impl Chunk {
    /// Maps whole pages; None if the system has no more.
    pub fn new(length: usize) -> Option<Chunk> {
        let (access, kind) = (PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
        // SAFETY: the system chooses the address, so no existing mapping is replaced.
        let start = unsafe { libc::mmap(ptr::null_mut(), length, access, kind, -1, 0) };
        (start != libc::MAP_FAILED).then(|| Chunk { start: start.expose_provenance(), length })
    }

    pub fn start(&self) -> usize {
        self.start
    }

    pub fn length(&self) -> usize {
        self.length
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        // SAFETY: `new` made the mapping, and the workspace keeps a chunk while blocks in it are in
        // use.
        unsafe { libc::munmap(pointer(self.start), self.length) };
    }
}

/// Frees the pages of an unused range. The addresses remain mapped and read as zeros.
pub fn discard(start: usize, length: usize) {
    // SAFETY: the range is in live chunks, and the workspace discards only ranges that are not in
    // use.
    unsafe { libc::madvise(pointer(start), length, libc::MADV_DONTNEED) };
}

fn pointer(address: usize) -> *mut c_void {
    ptr::with_exposed_provenance_mut(address)
}
