//! Mapped window through which several threads write to one file.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::ptr::{self, NonNull};

/// Shared mapping of a file.
#[derive(Debug)]
pub(super) struct MmapWindow {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: the mapping belongs to the process, not to a thread.
unsafe impl Send for MmapWindow {}
// SAFETY: only `fill` accesses the bytes, and its callers in several threads fill disjoint ranges.
unsafe impl Sync for MmapWindow {}

impl MmapWindow {
    /// Maps the first `length` bytes of a file, which must be at least as long.
    pub fn onto(file: &File, length: usize) -> io::Result<MmapWindow> {
        let (access, fd) = (libc::PROT_READ | libc::PROT_WRITE, file.as_raw_fd());
        // SAFETY: the system chooses the address, so no existing mapping is replaced.
        let start = unsafe { libc::mmap(ptr::null_mut(), length, access, libc::MAP_SHARED, fd, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or_else(|| io::Error::other("mapped at address zero"))?;
        Ok(MmapWindow { start, length })
    }

    /// Writes at an offset that is a multiple of a page.
    ///
    /// Populates the pages first, because a store to a page that cannot be allocated would kill the
    /// process. Linux before 5.14 cannot populate, and the error is `EINVAL`.
    pub fn fill(&self, offset: usize, bytes: &[u8]) -> io::Result<()> {
        if offset.checked_add(bytes.len()).is_none_or(|end| end > self.length) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        // SAFETY: the range was checked to be inside the mapping, and no reference to these bytes
        // exists.
        unsafe {
            let at = self.start.as_ptr().add(offset);
            if libc::madvise(at.cast(), bytes.len(), libc::MADV_POPULATE_WRITE) != 0 {
                return Err(io::Error::last_os_error());
            }
            ptr::copy_nonoverlapping(bytes.as_ptr(), at, bytes.len());
        }
        Ok(())
    }
}

impl Drop for MmapWindow {
    fn drop(&mut self) {
        // SAFETY: `onto` made the mapping, and no pointer to it remains.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.length) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_reach_the_file_and_no_other_place() {
        let page = 4096;
        let file = tempfile::tempfile().unwrap();
        file.set_len(3 * page as u64).unwrap();
        let window = MmapWindow::onto(&file, 3 * page).unwrap();
        window.fill(page, &[7; 5000]).unwrap();
        assert!(window.fill(2 * page, &[1; 4097]).is_err() && window.fill(usize::MAX, &[1]).is_err());
        drop(window);
        let expected = [vec![0; page], vec![7; 5000], vec![0; 2 * page - 5000]].concat();
        let mut found = vec![0; expected.len()];
        std::os::unix::fs::FileExt::read_exact_at(&file, &mut found, 0).unwrap();
        assert!(found == expected);
    }
}
