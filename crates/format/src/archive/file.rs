//! Reads a path into memory. Opening never blocks on a pipe or a device.

use std::fs::{File, FileType, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use super::error_context::ErrorContext;
use super::memory_map::{MemoryMap, effective_user, file_system};
use super::options::MemoryMode;
use crate::{Error, Result};

/// Magic numbers of file systems whose files can change or vanish without a write on this machine.
const ELSEWHERE: [i64; 13] = [
    0x6969,      // NFS
    0x517b,      // SMB
    0xfe53_4d42, // SMB 2
    0xff53_4d42, // CIFS
    0x6573_5546, // FUSE
    0x0102_1997, // 9P
    0x5346_414f, // AFS
    0x00c3_6400, // Ceph
    0x7375_7245, // Coda
    0x0bd0_0bd0, // Lustre
    0x4750_4653, // GPFS
    0x9fa0,      // proc
    0x6265_6572, // sysfs
];

/// Opens a file and maps or copies its bytes, as `memory` selects.
pub(super) fn read(path: &Path, memory: MemoryMode) -> Result<MemoryMap> {
    let file = open(path)?;
    let metadata = file.metadata().map_err(|source| io_error(path, source))?;
    let length = require_file(&metadata)?;
    if maps(&file, &metadata, memory) {
        MemoryMap::file(&file, length).map_err(|source| io_error(path, source))
    } else {
        copy(&file, length, path)
    }
}

/// Opens a regular file. The type is checked before opening, because opening a device can have
/// effects.
///
/// The caller checks the open file again, because the path can change in between. Even then
/// `O_NONBLOCK` prevents blocking on a pipe.
fn open(path: &Path) -> Result<File> {
    let metadata = path.metadata().map_err(|source| io_error(path, source))?;
    require_file(&metadata)?;
    OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC | libc::O_NOCTTY)
        .open(path)
        .map_err(|source| io_error(path, source))
}

fn require_file(metadata: &Metadata) -> Result<usize> {
    if let Some(kind) = odd_kind(metadata.file_type()) {
        return Err(ErrorContext::FILE.error(format!("the path leads to {kind}, not to a file")));
    }
    ErrorContext::FILE.require(metadata.len() != 0, "the file is empty")?;
    usize::try_from(metadata.len())
        .map_err(|_| ErrorContext::FILE.error("the file is larger than the address space"))
}

fn odd_kind(kind: FileType) -> Option<&'static str> {
    match kind {
        kind if kind.is_file() => None,
        kind if kind.is_dir() => Some("a directory"),
        kind if kind.is_fifo() => Some("a pipe"),
        kind if kind.is_socket() => Some("a socket"),
        kind if kind.is_char_device() || kind.is_block_device() => Some("a device"),
        _ => Some("something else"),
    }
}

fn maps(file: &File, metadata: &Metadata, memory: MemoryMode) -> bool {
    match memory {
        MemoryMode::Map => true,
        MemoryMode::Copy => false,
        MemoryMode::Auto => only_ours(metadata) && is_local(file),
    }
}

fn only_ours(metadata: &Metadata) -> bool {
    let owner = metadata.uid();
    let writable_by_others = metadata.mode() & 0o022 != 0;
    !writable_by_others && (owner == 0 || owner == effective_user())
}

fn is_local(file: &File) -> bool {
    file_system(file).is_ok_and(|magic| !ELSEWHERE.contains(&(magic & 0xffff_ffff)))
}

fn copy(file: &File, length: usize, path: &Path) -> Result<MemoryMap> {
    let map = MemoryMap::copy(file, length).map_err(|source| copy_error(path, source))?;
    let more = io::copy(&mut file.take(1), &mut io::sink()).map_err(|source| io_error(path, source))?;
    ErrorContext::FILE.require(more == 0, "the file grew while it was read")?;
    Ok(map)
}

fn copy_error(path: &Path, source: io::Error) -> Error {
    match source.kind() {
        io::ErrorKind::UnexpectedEof => ErrorContext::FILE.error("the file shrank while it was read"),
        io::ErrorKind::OutOfMemory => {
            Error::OutOfMemory { reason: format!("a copy of `{}`", path.display()) }
        }
        _ => io_error(path, source),
    }
}

fn io_error(path: &Path, source: io::Error) -> Error {
    Error::Io { path: path.into(), source }
}
