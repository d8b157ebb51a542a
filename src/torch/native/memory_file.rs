//! A file that has no name and lies on no disk: it is gone with the process, whatever ends that.

use sha2::{Digest as _, Sha256};
use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, available_parallelism};

/// `MFD_EXEC` (Linux 6.3): asked for where the system forbids execution otherwise (`vm.memfd_noexec`).
const MFD_EXEC: libc::c_uint = 0x10;

/// An anonymous file.
#[derive(Debug)]
pub struct MemoryFile(File);

impl MemoryFile {
    /// Memory with these bytes, written by as many threads as pay.
    pub fn of(bytes: &[u8]) -> io::Result<MemoryFile> {
        let file = MemoryFile(create(MFD_EXEC).or_else(|_| create(0))?);
        file.0.set_len(bytes.len() as u64)?;
        let parts: Vec<&[u8]> = bytes.chunks(PART).collect();
        in_threads(parts.len(), |part| match parts.get(part) {
            Some(bytes) => file.write_at((part * PART) as u64, bytes),
            None => Ok(()),
        })?;
        Ok(file)
    }

    /// A name for what is there: the SHA-256 of the SHA-256s of its parts, which threads compute side by side.
    pub fn key(&self) -> io::Result<[u8; 32]> {
        let length = usize::try_from(self.0.metadata()?.len()).map_err(io::Error::other)?;
        let digests = in_threads(length.div_ceil(PART), |part| {
            let mut hasher = Sha256::new();
            let (start, end) = (part * PART, length.min((part + 1) * PART));
            let mut bytes = vec![0; BUFFER];
            for from in (start..end).step_by(BUFFER) {
                let wanted = bytes.get_mut(..BUFFER.min(end - from)).unwrap_or_default();
                self.0.read_exact_at(wanted, from as u64)?;
                hasher.update(wanted);
            }
            Ok(hasher.finalize())
        })?;
        Ok(digests.iter().fold(Sha256::new(), |all, digest| all.chain_update(digest)).finalize().into())
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

    /// A path that leads to it in this process for as long as it is open.
    pub fn path(&self) -> CString {
        CString::new(format!("/proc/self/fd/{}", self.0.as_raw_fd())).unwrap_or_default()
    }
}

/// What one thread does at a time, and through how much memory it reads.
const PART: usize = 4 << 20;
const BUFFER: usize = 1 << 16;
const MOST_THREADS: usize = 8;

/// What `work` makes of each part, in their order.
fn in_threads<T: Send>(parts: usize, work: impl Fn(usize) -> io::Result<T> + Sync) -> io::Result<Vec<T>> {
    let threads = available_parallelism().map_or(1, usize::from).min(MOST_THREADS).min(parts);
    let next = AtomicUsize::new(0);
    let go_on = || -> io::Result<Vec<(usize, T)>> {
        let mut made = Vec::new();
        loop {
            match next.fetch_add(1, Ordering::Relaxed) {
                part if part < parts => made.push((part, work(part)?)),
                _ => return Ok(made),
            }
        }
    };
    let mut made = thread::scope(|scope| {
        // A thread that cannot be had is no loss: this one goes on until all parts are done.
        let spawn = |_| thread::Builder::new().spawn_scoped(scope, go_on).ok();
        let helpers: Vec<_> = (1..threads).filter_map(spawn).collect();
        let died = |_| Err(io::Error::other("a thread that fills a memory file died"));
        let rest = helpers.into_iter().map(|helper| helper.join().unwrap_or_else(died));
        std::iter::once(go_on()).chain(rest).collect::<io::Result<Vec<_>>>()
    })?
    .into_iter()
    .flatten()
    .collect::<Vec<_>>();
    made.sort_unstable_by_key(|(part, _)| *part);
    Ok(made.into_iter().map(|(_, made)| made).collect())
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
    use std::io::Write;

    #[test]
    fn threads_write_every_part_in_its_place() {
        let bytes: Vec<u8> = (0..3 * PART + 777).map(|at| (at / 251) as u8).collect();
        let mut file = MemoryFile::of(&bytes).unwrap();
        let mut seen = Vec::new();
        file.each_part(|part| seen.extend_from_slice(part)).unwrap();
        assert!(seen == bytes);
        let key = file.key().unwrap();
        assert_eq!(MemoryFile::of(&bytes).unwrap().key().unwrap(), key);
        file.write_at(2 * PART as u64 + 5, &[255]).unwrap();
        assert_ne!(file.key().unwrap(), key);
        assert_ne!(MemoryFile::of(&[]).unwrap().key().unwrap(), key);
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
