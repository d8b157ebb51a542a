//! Memory map of a file, and all the `unsafe` code of this room.
//!
//! Pages are private and writable, both mapped and copied. Programs may mutate their weights in
//! place, and such writes must never reach the file.

use std::fs::File;
use std::io::{self, Read};
use std::mem::MaybeUninit;
use std::ops::Range;
use std::os::fd::AsRawFd;

use memmap2::{MmapMut, MmapOptions, MmapRaw};

/// Page-aligned memory, freed when it is dropped.
#[derive(Debug)]
pub(super) struct MemoryMap {
    raw: MmapRaw,
    /// True if discarded pages are read from the file again.
    of_file: bool,
}

impl MemoryMap {
    /// Maps the first `length` bytes of a file copy-on-write.
    pub(super) fn file(file: &File, length: usize) -> io::Result<Self> {
        // Without this flag the kernel may refuse to map a file larger than memory, because every
        // page of it could be written.
        let mut options = MmapOptions::new();
        options.len(length).no_reserve_swap();
        // SAFETY: the pages are private. Another process can still change or shrink the file;
        // `MemoryMode::Map` documents that risk, and `MemoryMode::Auto` maps no file that other
        // users may write.
        let map = unsafe { options.map_copy(file)? };
        Ok(Self { raw: map.into(), of_file: true })
    }

    /// Reads exactly `length` bytes into fresh memory.
    pub(super) fn copy(mut source: impl Read, length: usize) -> io::Result<Self> {
        let mut map = MmapMut::map_anon(length)?;
        source.read_exact(&mut map)?;
        Ok(Self { raw: map.into(), of_file: false })
    }

    pub(super) fn len(&self) -> usize {
        self.raw.len()
    }

    /// Returns the bytes of `range`, or an empty slice if the range is not inside the mapping.
    pub(super) fn bytes(&self, range: Range<usize>) -> &[u8] {
        if range.start > range.end || range.end > self.len() {
            return &[];
        }
        // SAFETY: the range is inside the mapping, which lives as long as `self`. Code that writes
        // through `at` upholds that no reference returned here is alive.
        unsafe { std::slice::from_raw_parts(self.at(range.start), range.len()) }
    }

    /// Returns the address of the byte at `offset`, which is clamped to `len`.
    pub(super) fn at(&self, offset: usize) -> *mut u8 {
        self.raw.as_mut_ptr().wrapping_add(offset.min(self.len()))
    }

    /// Returns the whole pages of `range` to the operating system. Pages of a file are read again
    /// on the next access. A copy keeps its memory.
    pub(super) fn discard(&self, range: Range<usize>) {
        let (page, end) = (page_size(), range.end.min(self.len()));
        let (first, end) = (range.start.next_multiple_of(page), end - end % page);
        if self.of_file && first < end {
            // SAFETY: the pages are inside the mapping, and the caller of `Slice::discard` upholds
            // that none was written to. The next read loads the same bytes from the file. If the
            // kernel refuses, the pages remain valid.
            unsafe { libc::madvise(self.at(first).cast(), end - first, libc::MADV_DONTNEED) };
        }
    }
}

fn page_size() -> usize {
    /// A multiple of every page size that Linux uses.
    const LARGEST: usize = 1 << 16;
    // SAFETY: `sysconf` takes a number and accesses no memory of this process.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) })
        .ok()
        .filter(|size| *size > 0)
        .unwrap_or(LARGEST)
}

/// Returns the effective user ID of this process.
pub(super) fn effective_user() -> u32 {
    // SAFETY: `geteuid` takes no argument and cannot fail.
    unsafe { libc::geteuid() }
}

/// Returns the magic number of the file system that holds a file.
pub(super) fn file_system(file: &File) -> io::Result<i64> {
    let mut answer = MaybeUninit::<libc::statfs>::zeroed();
    loop {
        // SAFETY: `file` keeps the descriptor open, and `answer` is a writable `statfs`.
        let status = unsafe { libc::fstatfs(file.as_raw_fd(), answer.as_mut_ptr()) };
        if status == 0 {
            // SAFETY: all zeros is a valid `statfs`, and the call has filled it in.
            return Ok(unsafe { answer.assume_init() }.f_type);
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns one byte at a time, each after an interruption, then ends or fails.
    struct Slow {
        left: usize,
        interrupt: bool,
        last: Option<io::ErrorKind>,
    }

    impl Read for Slow {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.interrupt = !self.interrupt;
            match (self.interrupt, self.left, self.last) {
                (true, _, _) => Err(io::ErrorKind::Interrupted.into()),
                (false, 0, Some(kind)) => Err(kind.into()),
                (false, 0, None) => Ok(0),
                (false, _, _) => {
                    into.iter_mut().take(1).for_each(|byte| *byte = 7);
                    self.left -= 1;
                    Ok(1)
                }
            }
        }
    }

    fn copied(left: usize, last: Option<io::ErrorKind>) -> io::Result<MemoryMap> {
        MemoryMap::copy(Slow { left, interrupt: false, last }, 100)
    }

    #[test]
    fn interrupted_and_short_reads_go_on() {
        assert_eq!(copied(100, None).unwrap().bytes(0..100), [7; 100]);
    }

    #[test]
    fn each_failing_read_is_reported() {
        for left in 0..100 {
            assert_eq!(copied(left, None).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
            let denied = Some(io::ErrorKind::PermissionDenied);
            assert_eq!(copied(left, denied).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        }
    }

    #[test]
    fn ranges_outside_are_empty() {
        let map = copied(100, None).unwrap();
        assert!(map.bytes(100..100).is_empty());
        assert!(map.bytes(99..101).is_empty());
        assert!(map.bytes(usize::MAX..usize::MAX).is_empty());
        #[expect(clippy::reversed_empty_ranges, reason = "the case under test")]
        let reversed = map.bytes(5..4);
        assert!(reversed.is_empty());
        assert_eq!(map.at(usize::MAX).addr() - map.at(0).addr(), 100);
    }

    #[test]
    fn lengths_that_cannot_be_had_fail() {
        assert!(MemoryMap::copy(io::empty(), usize::MAX / 2).is_err());
    }
}
