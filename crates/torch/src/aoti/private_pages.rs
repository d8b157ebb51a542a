//! Private pages of a file in memory: whoever writes to them gets copies, all others are the file's.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::ptr::{self, NonNull};

/// Some bytes of a file, as they were when nobody had written to them here.
#[derive(Debug)]
pub struct PrivatePages {
    mapping: NonNull<u8>,
    mapped: usize,
    /// Where in the mapping the bytes begin, for that begins with a page.
    skipped: usize,
}

// SAFETY: the mapping belongs to the process, not to a thread, and nothing here touches the bytes.
unsafe impl Send for PrivatePages {}
// SAFETY: as above.
unsafe impl Sync for PrivatePages {}

impl PrivatePages {
    /// A part of a file, which must not shrink while this lives.
    pub(super) fn of(file: &File, range: Range<usize>) -> io::Result<PrivatePages> {
        let skipped = range.start % PAGE;
        let offset = libc::off_t::try_from(range.start - skipped).map_err(io::Error::other)?;
        let mapped = range.len() + skipped;
        let (access, fd) = (libc::PROT_READ | libc::PROT_WRITE, file.as_raw_fd());
        // SAFETY: the system chooses where; nothing that exists is touched.
        let start = unsafe { libc::mmap(ptr::null_mut(), mapped, access, libc::MAP_PRIVATE, fd, offset) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let mapping = NonNull::new(start.cast()).ok_or_else(|| io::Error::other("mapped at address zero"))?;
        Ok(PrivatePages { mapping, mapped, skipped })
    }

    /// Has the pages at hand, so that who reads them need not stop for each. Before Linux 5.14 nobody can ask.
    pub(super) fn fetch(&self) {
        // SAFETY: the mapping is this value's, and what it holds does not change.
        unsafe { libc::madvise(self.mapping.as_ptr().cast(), self.mapped, libc::MADV_POPULATE_READ) };
    }

    /// The first byte.
    pub(super) fn start(&self) -> *mut u8 {
        // SAFETY: less than a page is skipped, and the mapping is longer.
        unsafe { self.mapping.as_ptr().add(self.skipped) }
    }

    /// How many bytes there are.
    pub(super) fn len(&self) -> usize {
        self.mapped - self.skipped
    }
}

impl Drop for PrivatePages {
    fn drop(&mut self) {
        // SAFETY: `of` made the mapping, and whoever reads from it is gone.
        unsafe { libc::munmap(self.mapping.as_ptr().cast(), self.mapped) };
    }
}

/// A multiple of the page size of every machine that Linux runs on.
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
        // SAFETY: these are all bytes of a mapping that lives, and nobody writes to them meanwhile.
        let seen =
            |pages: &PrivatePages| unsafe { std::slice::from_raw_parts(pages.start(), pages.len()) }.to_vec();
        assert!(owners.iter().all(|pages| seen(pages) == bytes[range.clone()]));
        // SAFETY: the byte lies in the mapping, which may be written to.
        unsafe { owners[0].start().write(255) };
        assert!(seen(&owners[0])[0] == 255 && seen(&owners[1]) == bytes[range.clone()]);
        let mut stored = vec![0; bytes.len()];
        std::os::unix::fs::FileExt::read_exact_at(&file, &mut stored, 0).unwrap();
        assert!(stored == bytes);
    }
}
