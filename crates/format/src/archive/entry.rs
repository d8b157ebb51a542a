//! One entry of a zip: its byte range and its checksum.

use std::ops::Range;
use std::sync::Arc;

/// An entry as the central directory describes it. Positions count from the start of its zip.
#[derive(Clone, Debug)]
pub struct Entry {
    pub(super) name: Arc<str>,
    pub(super) header: usize,
    pub(super) body: Range<usize>,
    pub(super) crc32: u32,
    /// True if a data descriptor follows the body.
    pub(super) streamed: bool,
}

impl Entry {
    /// Returns the full name, including the archive's root folder.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the size in bytes.
    pub fn size(&self) -> u64 {
        self.body.len() as u64
    }

    /// Returns the checksum recorded in the central directory.
    pub fn crc32(&self) -> u32 {
        self.crc32
    }

    /// Returns the position of the first byte.
    pub fn offset(&self) -> u64 {
        self.body.start as u64
    }
}
