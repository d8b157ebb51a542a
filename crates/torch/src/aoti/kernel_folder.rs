//! Folder in which compiled code looks up its CUDA kernels.
//!
//! Compiled code opens `<folder>/<name>` when a kernel is first launched (`loadKernel` in
//! `torch/csrc/inductor/cpp_wrapper/device_internal/cuda.h`, 2.11). So the folder must exist as
//! long as its owner. It contains only links; the kernels themselves are memory files.
//!
//! A process that dies leaves its folder behind. The next folder created beside it removes such
//! folders. A file lock shows that an owner is alive.

use super::MemoryFile;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

const PREFIX: &str = "pt2-kernels-";
const LOCK: &str = ".lock";

/// Folder that only its owner uses. Drop removes it.
#[derive(Debug)]
pub struct KernelFolder {
    path: PathBuf,
    /// Locked for as long as the owner lives.
    _lock: File,
    _kernels: Vec<MemoryFile>,
}

impl KernelFolder {
    /// Creates a folder below `parent` with a link for each kernel, by its name.
    pub fn of(parent: &Path, kernels: Vec<(String, MemoryFile)>) -> io::Result<KernelFolder> {
        sweep(parent);
        let path = create(parent)?;
        let lock = lock_in(&path).inspect_err(|_| drop(fs::remove_dir_all(&path)))?;
        let mut folder = KernelFolder { path, _lock: lock, _kernels: Vec::new() };
        for (name, kernel) in kernels {
            symlink(
                Path::new(std::ffi::OsStr::from_bytes(kernel.path().to_bytes())),
                folder.path.join(name),
            )?;
            folder._kernels.push(kernel);
        }
        Ok(folder)
    }

    /// Returns the path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for KernelFolder {
    fn drop(&mut self) {
        // The next folder created beside it removes a folder that remains now.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Creates a new folder with the next free number. An existing one is skipped, whatever its owner.
fn create(parent: &Path) -> io::Result<PathBuf> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("{PREFIX}{}-{number}", std::process::id()));
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

fn lock_in(folder: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC)
        .open(folder.join(LOCK))?;
    if try_lock(&file) { Ok(file) } else { Err(io::Error::last_os_error()) }
}

fn try_lock(file: &File) -> bool {
    // SAFETY: `file` keeps the descriptor open, and the call takes no pointers.
    unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) == 0 }
}

/// Removes this user's folders whose owners died. Skips every folder that it cannot inspect.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_name().as_bytes().starts_with(PREFIX.as_bytes()))
    {
        let path = entry.path();
        if is_own_folder(&path) && is_abandoned(&path) {
            let _ = fs::remove_dir_all(&path);
        }
    }
}

fn is_own_folder(path: &Path) -> bool {
    // SAFETY: the call takes no arguments and cannot fail.
    let user = unsafe { libc::geteuid() };
    fs::symlink_metadata(path).is_ok_and(|found| found.is_dir() && found.uid() == user)
}

/// Returns true if the lock file exists and is not locked.
///
/// A folder without a lock file may be in creation, so it is kept.
fn is_abandoned(path: &Path) -> bool {
    let lock = OpenOptions::new().write(true).custom_flags(libc::O_NOFOLLOW).open(path.join(LOCK));
    lock.is_ok_and(|lock| try_lock(&lock))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(parent: &Path) -> KernelFolder {
        KernelFolder::of(parent, vec![("k.cubin".into(), MemoryFile::of(b"kernel").unwrap())]).unwrap()
    }

    fn names(parent: &Path) -> usize {
        fs::read_dir(parent).unwrap().count()
    }

    #[test]
    fn kernels_are_found_by_name_until_the_folder_goes() {
        let parent = tempfile::tempdir().unwrap();
        let made = folder(parent.path());
        assert_eq!(fs::read(made.path().join("k.cubin")).unwrap(), b"kernel");
        assert_eq!(fs::metadata(made.path()).unwrap().mode() & 0o777, 0o700);
        drop(made);
        assert_eq!(names(parent.path()), 0);
    }

    #[test]
    fn folders_of_the_dead_are_swept_and_others_stay() {
        let parent = tempfile::tempdir().unwrap();
        let living = folder(parent.path());
        let dead = parent.path().join(format!("{PREFIX}0-0"));
        fs::create_dir(&dead).unwrap();
        fs::write(dead.join(LOCK), b"").unwrap();
        fs::write(parent.path().join("other"), b"").unwrap();
        fs::create_dir(parent.path().join(format!("{PREFIX}being-made"))).unwrap();
        let next = folder(parent.path());
        assert!(living.path().exists() && next.path().exists() && !dead.exists());
        assert_eq!(names(parent.path()), 4);
    }
}
