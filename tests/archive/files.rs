//! Any kind of file at a path: an archive or an immediate error.

use crate::repository::repository;
use std::ffi::CString;
use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use pt2_format::Error;
use pt2_format::archive::{Archive, MemoryMode, ReadOptions};
use tempfile::TempDir;

const GENUINE: &str = "tests/archives/2.15.0/tree.pt2";

fn copy_in(folder: &TempDir) -> PathBuf {
    let path = folder.path().join("tree.pt2");
    fs::copy(repository(GENUINE), &path).unwrap();
    path
}

fn options(memory: MemoryMode) -> ReadOptions {
    ReadOptions { memory, verify: true }
}

/// Returns the error for a path, which is the same for every memory mode. No mode waits for a
/// writer or an endless file.
fn refused(path: &Path) -> Error {
    let mut errors = [MemoryMode::Auto, MemoryMode::Map, MemoryMode::Copy]
        .map(|memory| Archive::open(path, &options(memory)).unwrap_err());
    assert!(errors.iter().all(|error| error.to_string().contains(path.to_str().unwrap())));
    std::mem::replace(&mut errors[0], Error::Internal { reason: String::new() })
}

fn is_archive_error(error: &Error, reason: &str) {
    assert!(matches!(error.root(), Error::Archive { .. }), "{error:?}");
    assert!(error.to_string().contains(reason), "{error}");
}

#[test]
fn missing_files() {
    assert!(matches!(refused(&repository("tests/archives/none.pt2")), Error::Io { .. }));
    assert!(matches!(refused(Path::new("Cargo.toml/none.pt2")), Error::Io { .. }));
    assert!(Archive::open(Path::new(""), &ReadOptions::default()).is_err());
    assert!(Archive::open(Path::new("a\0b"), &ReadOptions::default()).is_err());
}

#[test]
fn unreadable_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = copy_in(&folder);
    fs::set_permissions(&path, Permissions::from_mode(0o000)).unwrap();
    // Root can read unreadable files.
    if File::open(&path).is_err() {
        assert!(matches!(refused(&path), Error::Io { .. }));
    }
}

#[test]
fn odd_kinds_of_files() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let name = CString::new(pipe.as_os_str().as_bytes()).unwrap();
    // SAFETY: the name is a terminated string that lives for the call.
    assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
    is_archive_error(&refused(&pipe), "leads to a pipe");
    let socket = folder.path().join("socket");
    let _listener = UnixListener::bind(&socket).unwrap();
    is_archive_error(&refused(&socket), "leads to a socket");
    is_archive_error(&refused(folder.path()), "leads to a directory");
    is_archive_error(&refused(Path::new("/dev/zero")), "leads to a device");
    is_archive_error(&refused(Path::new("/dev/tty")), "leads to a device");
    is_archive_error(&refused(Path::new("/proc/self/maps")), "the file is empty");
    let empty = folder.path().join("empty");
    File::create(&empty).unwrap();
    is_archive_error(&refused(&empty), "the file is empty");
}

#[test]
fn links() {
    let folder = tempfile::tempdir().unwrap();
    let path = copy_in(&folder);
    let link = folder.path().join("link");
    symlink(&path, &link).unwrap();
    Archive::open(&link, &ReadOptions::default()).unwrap();
    let (left, right) = (folder.path().join("left"), folder.path().join("right"));
    symlink(&left, &right).unwrap();
    symlink(&right, &left).unwrap();
    assert!(matches!(refused(&left), Error::Io { .. }));
    let pipe = folder.path().join("to-tty");
    symlink("/dev/tty", &pipe).unwrap();
    is_archive_error(&refused(&pipe), "leads to a device");
}

#[test]
fn huge_sparse_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("huge");
    File::create(&path).unwrap().set_len(1 << 40).unwrap();
    let error = Archive::open(&path, &options(MemoryMode::Map)).unwrap_err();
    assert!(matches!(error.root(), Error::Archive { .. } | Error::Io { .. }), "{error}");
}

/// Returns true if memory shows a change of the file, which a map does and a copy does not.
fn is_mapped(path: &Path, memory: MemoryMode) -> bool {
    let archive = Archive::open(path, &options(memory)).unwrap();
    let weight = archive.entry("tree/data/weights/weight_0").unwrap();
    let mut bytes = fs::read(path).unwrap();
    let at = weight.offset() as usize;
    bytes[at] ^= 0xff;
    // Written in place: memory would not show a new file of this name.
    File::options().write(true).open(path).unwrap().write_all(&bytes).unwrap();
    weight.verify().is_err()
}

#[test]
fn files_that_others_may_write_are_copied() {
    for (mode, mapped) in [(0o600, true), (0o644, true), (0o664, false), (0o646, false), (0o666, false)] {
        let folder = tempfile::tempdir().unwrap();
        let path = copy_in(&folder);
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        assert_eq!(is_mapped(&path, MemoryMode::Auto), mapped, "mode {mode:o}");
    }
}

#[test]
fn the_caller_may_decide() {
    for (memory, mapped) in [(MemoryMode::Map, true), (MemoryMode::Copy, false)] {
        let folder = tempfile::tempdir().unwrap();
        let path = copy_in(&folder);
        fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
        assert_eq!(is_mapped(&path, memory), mapped);
    }
}

#[test]
fn copies_do_not_need_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = copy_in(&folder);
    let archive = Archive::open(&path, &options(MemoryMode::Copy)).unwrap();
    File::options().write(true).open(&path).unwrap().set_len(0).unwrap();
    archive.entries().for_each(|entry| archive.entry(entry.name()).unwrap().verify().unwrap());
}

#[test]
fn replaced_files_leave_a_map_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = copy_in(&folder);
    let archive = Archive::open(&path, &options(MemoryMode::Map)).unwrap();
    fs::remove_file(&path).unwrap();
    fs::write(&path, b"another").unwrap();
    archive.entries().for_each(|entry| archive.entry(entry.name()).unwrap().verify().unwrap());
}

/// Repeats with a file that shrinks and grows while it is opened.
#[test]
fn files_that_change_while_they_are_copied() {
    let folder = tempfile::tempdir().unwrap();
    let path = copy_in(&folder);
    let whole = fs::read(&path).unwrap();
    let file = File::options().write(true).open(&path).unwrap();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            use std::os::unix::fs::FileExt;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                file.set_len(whole.len() as u64 / 2).unwrap();
                file.write_all_at(&whole, 0).unwrap();
                file.set_len(whole.len() as u64 + 100).unwrap();
                file.set_len(whole.len() as u64).unwrap();
            }
        });
        for _ in 0..2000 {
            match Archive::open(&path, &options(MemoryMode::Copy)) {
                Ok(archive) => drop(archive.program("model")),
                Err(error) => {
                    let root = error.root();
                    let typed = matches!(
                        root,
                        Error::Archive { .. } | Error::Checksum { .. } | Error::Unsupported { .. }
                    );
                    assert!(typed, "{error:?}");
                }
            }
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}
