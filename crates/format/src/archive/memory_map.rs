//! Memory map of a file, and all the `unsafe` of this room.
//!
//! Either way the pages are private and writable: programs may mutate their weights in place, and such writes
//! must never reach the file.

use std::fs::File;
use std::io::{self, Read};
use std::mem::MaybeUninit;
use std::ops::Range;
use std::os::fd::AsRawFd;

use memmap2::{MmapMut, MmapOptions, MmapRaw};

/// Page-aligned memory that is freed with its last owner.
#[derive(Debug)]
pub(super) struct MemoryMap {
    raw: MmapRaw,
    /// Whether pages that were let go come back from the file.
    of_file: bool,
}

impl MemoryMap {
    /// Maps the first `length` bytes of a file copy-on-write.
    pub(super) fn file(file: &File, length: usize) -> io::Result<Self> {
        // Without the reservation flag the kernel may refuse to map a file larger than memory, in case every
        // page of it were written.
        let mut options = MmapOptions::new();
        options.len(length).no_reserve_swap();
        // SAFETY: the pages are private. That another process can still change or shrink the file is the
        // documented cost of `Memory::MemoryMap`, and `Memory::Auto` maps no file that other users may write.
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

    /// The bytes of `range`, which must lie inside; an empty slice if it does not.
    pub(super) fn bytes(&self, range: Range<usize>) -> &[u8] {
        if range.start > range.end || range.end > self.len() {
            return &[];
        }
        // SAFETY: the range lies inside the mapping, which lives as long as `self`. Whoever writes through
        // `at` promises that no reference from here is alive.
        unsafe { std::slice::from_raw_parts(self.at(range.start), range.len()) }
    }

    /// The address of the byte at `offset`, which is at most `len`.
    pub(super) fn at(&self, offset: usize) -> *mut u8 {
        self.raw.as_mut_ptr().wrapping_add(offset.min(self.len()))
    }

    /// Gives the memory behind the whole pages of `range` back to the system. Pages of a file are read again when
    /// someone needs them; a copy keeps its memory.
    pub(super) fn discard(&self, range: Range<usize>) {
        let (page, end) = (page_size(), range.end.min(self.len()));
        let (first, end) = (range.start.next_multiple_of(page), end - end % page);
        if self.of_file && first < end {
            // SAFETY: the pages lie inside the mapping, and nobody wrote to them, as the caller promises: what is
            // read from them next is what the file holds, as before. A refusal leaves them where they are.
            unsafe { libc::madvise(self.at(first).cast(), end - first, libc::MADV_DONTNEED) };
        }
    }
}

fn page_size() -> usize {
    /// A multiple of the page size of every machine that Linux runs on.
    const LARGEST: usize = 1 << 16;
    // SAFETY: the call takes a number only.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) })
        .ok()
        .filter(|size| *size > 0)
        .unwrap_or(LARGEST)
}

/// The user whose rights this process has.
pub(super) fn effective_user() -> u32 {
    // SAFETY: the call takes nothing and cannot fail.
    unsafe { libc::geteuid() }
}

/// The magic number of the file system a file lies on.
pub(super) fn file_system(file: &File) -> io::Result<i64> {
    let mut answer = MaybeUninit::<libc::statfs>::zeroed();
    loop {
        // SAFETY: the descriptor is open for the call and the structure is writable and large enough.
        let status = unsafe { libc::fstatfs(file.as_raw_fd(), answer.as_mut_ptr()) };
        if status == 0 {
            // SAFETY: zeroes are a valid `statfs`, and the call has filled it in.
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

    /// Gives one byte at a time, each after an interruption, then ends or fails.
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
