//! Pages of the system.

use libc::{MAP_ANONYMOUS, MAP_NORESERVE, MAP_PRIVATE, PROT_READ, PROT_WRITE, c_void};
use std::ptr;

/// Addresses in a row, which become pages when they are written to.
#[derive(Debug)]
pub struct Chunk {
    start: usize,
    length: usize,
}

impl Chunk {
    /// Whole pages; None where the system has no more.
    pub fn new(length: usize) -> Option<Chunk> {
        let (access, kind) = (PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
        // SAFETY: the system chooses where; nothing that exists is touched.
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
        // SAFETY: `new` made the mapping, and no block in it is in use.
        unsafe { libc::munmap(pointer(self.start), self.length) };
    }
}

/// Gives the pages of a range back that nobody reads any more; the addresses stay, and read as zeros.
pub fn discard(start: usize, length: usize) {
    // SAFETY: the range lies in chunks that live, and what was in it is not needed.
    unsafe { libc::madvise(pointer(start), length, libc::MADV_DONTNEED) };
}

fn pointer(address: usize) -> *mut c_void {
    ptr::with_exposed_provenance_mut(address)
}
