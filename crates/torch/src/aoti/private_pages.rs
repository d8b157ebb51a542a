//! Private pages of a memory file: pages that the owner writes to are copies, all others are the
//! file's.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::ptr::{self, NonNull};

/// Private mapping of a range of a file.
#[derive(Debug)]
pub struct PrivatePages {
    mapping: NonNull<u8>,
    mapped: usize,
    /// Offset of the range in the mapping, which starts at a page.
    skipped: usize,
}

// SAFETY: the mapping belongs to the process, and this type does not access its bytes.
unsafe impl Send for PrivatePages {}
// SAFETY: shared methods only read the address and length of the mapping.
unsafe impl Sync for PrivatePages {}

impl PrivatePages {
    /// Maps a range of a file, which must not shrink while this lives.
    pub(super) fn of(file: &File, range: Range<usize>) -> io::Result<PrivatePages> {
        let skipped = range.start % PAGE;
        let offset = libc::off_t::try_from(range.start - skipped).map_err(io::Error::other)?;
        let mapped = range.len() + skipped;
        let (access, fd) = (libc::PROT_READ | libc::PROT_WRITE, file.as_raw_fd());
        // SAFETY: the system chooses the address, so no existing mapping is replaced.
        let start = unsafe { libc::mmap(ptr::null_mut(), mapped, access, libc::MAP_PRIVATE, fd, offset) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let mapping = NonNull::new(start.cast()).ok_or_else(|| io::Error::other("mapped at address zero"))?;
        Ok(PrivatePages { mapping, mapped, skipped })
    }

    /// Populates the pages, so that reading them causes no page faults. Linux before 5.14 ignores
    /// this.
    pub(super) fn fetch(&self) {
        // SAFETY: `self` owns the mapping, and populating does not change its contents.
        unsafe { libc::madvise(self.mapping.as_ptr().cast(), self.mapped, libc::MADV_POPULATE_READ) };
    }

    /// Returns the address of the first byte.
    pub(super) fn start(&self) -> *mut u8 {
        // SAFETY: `skipped` is less than a page and less than the length of the mapping.
        unsafe { self.mapping.as_ptr().add(self.skipped) }
    }

    /// Returns the number of bytes.
    pub(super) fn len(&self) -> usize {
        self.mapped - self.skipped
    }
}

impl Drop for PrivatePages {
    fn drop(&mut self) {
        // SAFETY: `of` made the mapping. The owner drops this after the container that reads from
        // it.
        unsafe { libc::munmap(self.mapping.as_ptr().cast(), self.mapped) };
    }
}

/// Multiple of the page size of every Linux machine.
const PAGE: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn what_one_owner_writes_no_other_sees() {
        let mut file = tempfile::tempfile().unwrap();
        let bytes: Vec<u8> = (0..3 * PAGE).map(|at| (at / 7) as u8).collect();
        file.write_all(&bytes).unwrap();
        let range = PAGE + 100..2 * PAGE + 7;
        let owners = [0, 1].map(|_| PrivatePages::of(&file, range.clone()).unwrap());
        // SAFETY: the range is in a live mapping, and no other thread writes to it.
        let seen =
            |pages: &PrivatePages| unsafe { std::slice::from_raw_parts(pages.start(), pages.len()) }.to_vec();
        assert!(owners.iter().all(|pages| seen(pages) == bytes[range.clone()]));
        // SAFETY: the byte is in the mapping, which is writable.
        unsafe { owners[0].start().write(255) };
        assert!(seen(&owners[0])[0] == 255 && seen(&owners[1]) == bytes[range.clone()]);
        let mut stored = vec![0; bytes.len()];
        std::os::unix::fs::FileExt::read_exact_at(&file, &mut stored, 0).unwrap();
        assert!(stored == bytes);
    }
}
