//! A file that has no name and lies on no disk: it is gone with the process, whatever ends that.

use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::fs::FileExt;

/// `MFD_EXEC` (Linux 6.3): asked for where the system forbids execution otherwise (`vm.memfd_noexec`).
const MFD_EXEC: libc::c_uint = 0x10;

/// An anonymous file.
#[derive(Debug)]
pub struct MemoryFile(File);

impl MemoryFile {
    /// Memory with these bytes.
    pub fn of(bytes: &[u8]) -> io::Result<MemoryFile> {
        let mut file = create(MFD_EXEC).or_else(|_| create(0))?;
        file.write_all(bytes)?;
        Ok(MemoryFile(file))
    }

    /// Changes some of the bytes.
    pub fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    /// Fixes the bytes for ever: nobody can write, grow or shrink the file, nor undo this.
    pub fn seal(&self) -> io::Result<()> {
        let seals = libc::F_SEAL_WRITE | libc::F_SEAL_GROW | libc::F_SEAL_SHRINK | libc::F_SEAL_SEAL;
        // SAFETY: the descriptor is open; the call takes a number.
        match unsafe { libc::fcntl(self.0.as_raw_fd(), libc::F_ADD_SEALS, seals) } {
            -1 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        }
    }

    /// Reads the bytes back, part by part.
    pub fn each_part(&mut self, mut take: impl FnMut(&[u8])) -> io::Result<()> {
        const PART: usize = 1 << 16;
        let mut part = vec![0; PART];
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

    /// A path that leads to it in this process for as long as it is open.
    pub fn path(&self) -> CString {
        CString::new(format!("/proc/self/fd/{}", self.0.as_raw_fd())).unwrap_or_default()
    }
}

fn create(more: libc::c_uint) -> io::Result<File> {
    let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING | more;
    // SAFETY: the name is NUL-terminated and only shown to people.
    let raw = unsafe { libc::memfd_create(c"pt2-native-code".as_ptr(), flags) };
    if raw < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call has just made the descriptor, and nobody else has it.
    Ok(unsafe { File::from_raw_fd(raw) })
}

#[cfg(test)]
mod tests {
    use super::*;

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
