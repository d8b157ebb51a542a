//! Anonymous file in memory, which vanishes with the process.

use super::{MmapWindow, PrivatePages};
use pt2_format::parallel::{self, threads_for};
use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering};

/// `MFD_EXEC` (Linux 6.3), needed where the system forbids execution by default
/// (`vm.memfd_noexec`).
const MFD_EXEC: libc::c_uint = 0x10;

/// Anonymous file.
#[derive(Debug)]
pub struct MemoryFile(File);

impl MemoryFile {
    /// Creates a file with these bytes. Several threads write it if that is faster.
    pub fn of(bytes: &[u8]) -> io::Result<MemoryFile> {
        let file = MemoryFile(create(MFD_EXEC).or_else(|_| create(0))?);
        file.0.set_len(bytes.len() as u64)?;
        let parts: Vec<(usize, &[u8])> = bytes.chunks(PART).enumerate().collect();
        if threads_for(parts.len()) < MANY_THREADS {
            file.write_at(0, bytes)?;
            return Ok(file);
        }
        let window = MmapWindow::onto(&file.0, bytes.len())?;
        parallel::for_each(
            &parts,
            || Ok(()),
            |(), (index, part)| match window.fill(index * PART, part) {
                Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
                    file.write_at((index * PART) as u64, part)
                }
                filled => filled,
            },
        )?;
        Ok(file)
    }

    /// Returns true if another file has the same bytes.
    pub fn equals(&self, other: &MemoryFile) -> io::Result<bool> {
        let length = self.0.metadata()?.len();
        if length != other.0.metadata()?.len() {
            return Ok(false);
        }
        let parts: Vec<u64> = (0..length).step_by(PART).collect();
        let differs = AtomicBool::new(false);
        let start = || Ok((vec![0; BUFFER], vec![0; BUFFER]));
        parallel::for_each(&parts, start, |(left, right), &part| {
            for from in (part..length.min(part + PART as u64)).step_by(BUFFER) {
                if differs.load(Ordering::Relaxed) {
                    break;
                }
                let count = usize::try_from(length - from).map_or(BUFFER, |rest| rest.min(BUFFER));
                let (left, right) = (&mut left[..count], &mut right[..count]);
                self.0.read_exact_at(left, from)?;
                other.0.read_exact_at(right, from)?;
                differs.fetch_or(left != right, Ordering::Relaxed);
            }
            Ok::<(), io::Error>(())
        })?;
        Ok(!differs.into_inner())
    }

    /// Overwrites bytes at an offset.
    pub fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    /// Seals the file for good: no process can write, grow or shrink it, nor remove the seals.
    pub fn seal(&self) -> io::Result<()> {
        let seals = libc::F_SEAL_WRITE | libc::F_SEAL_GROW | libc::F_SEAL_SHRINK | libc::F_SEAL_SEAL;
        // SAFETY: `self` keeps the descriptor open, and the call takes no pointers.
        match unsafe { libc::fcntl(self.0.as_raw_fd(), libc::F_ADD_SEALS, seals) } {
            -1 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        }
    }

    /// Reads the bytes back in parts.
    pub fn each_part(&mut self, mut take: impl FnMut(&[u8])) -> io::Result<()> {
        let mut part = vec![0; BUFFER];
        self.0.seek(SeekFrom::Start(0))?;
        loop {
            match self.0.read(&mut part) {
                Ok(0) => return Ok(()),
                Ok(count) => take(part.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Maps a range privately: the owner may write to it without changing the file.
    pub fn pages(&self, range: Range<usize>) -> io::Result<PrivatePages> {
        PrivatePages::of(&self.0, range)
    }

    /// Returns a path to the file, valid in this process while the file is open.
    pub fn path(&self) -> CString {
        CString::new(format!("/proc/self/fd/{}", self.0.as_raw_fd())).unwrap_or_default()
    }
}

/// Bytes that one thread processes at a time, and the size of its read buffer.
const PART: usize = 4 << 20;
const BUFFER: usize = 1 << 16;

/// Number of threads from which a window is faster than writing.
///
/// Writes to one file run one at a time; a page of a window costs more but needs no such lock.
const MANY_THREADS: usize = 4;

fn create(more: libc::c_uint) -> io::Result<File> {
    let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING | more;
    // SAFETY: the name is NUL-terminated and outlives the call.
    let raw = unsafe { libc::memfd_create(c"pt2-native-code".as_ptr(), flags) };
    if raw < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call above returned a new descriptor, which only this file owns.
    Ok(unsafe { File::from_raw_fd(raw) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn threads_write_every_part_in_its_place() {
        let bytes: Vec<u8> = (0..3 * PART + 777).map(|at| (at / 251) as u8).collect();
        let mut file = MemoryFile::of(&bytes).unwrap();
        let mut seen = Vec::new();
        file.each_part(|part| seen.extend_from_slice(part)).unwrap();
        assert!(seen == bytes);
        let other = MemoryFile::of(&bytes).unwrap();
        assert!(file.equals(&other).unwrap());
        file.write_at(2 * PART as u64 + 5, &[255]).unwrap();
        assert!(!file.equals(&other).unwrap() && !other.equals(&MemoryFile::of(&[]).unwrap()).unwrap());
    }

    #[test]
    fn sealed_bytes_cannot_be_changed() {
        let mut file = MemoryFile::of(b"before").unwrap();
        file.write_at(0, b"B").unwrap();
        file.seal().unwrap();
        assert!(file.write_at(0, b"x").is_err() && file.0.set_len(1).is_err() && file.seal().is_err());
        let mut seen = Vec::new();
        file.each_part(|part| seen.extend_from_slice(part)).unwrap();
        assert_eq!(seen, b"Before");
        let path = file.path().into_string().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"Before");
        assert!(
            std::fs::OpenOptions::new().write(true).open(&path).and_then(|mut f| f.write_all(b"x")).is_err()
        );
    }
}
