//! One entry of a zip: where its bytes lie and what they must add up to.

use std::ops::Range;
use std::sync::Arc;

/// An entry as the directory describes it; positions count from the start of its zip.
#[derive(Clone, Debug)]
pub struct Entry {
    pub(super) name: Arc<str>,
    pub(super) header: usize,
    pub(super) body: Range<usize>,
    pub(super) crc32: u32,
    /// Whether a data descriptor follows the body.
    pub(super) streamed: bool,
}

impl Entry {
    /// The full name, with the archive's root folder.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many bytes it holds.
    pub fn size(&self) -> u64 {
        self.body.len() as u64
    }

    /// The checksum in the archive's directory.
    pub fn crc32(&self) -> u32 {
        self.crc32
    }

    /// Where its bytes begin.
    pub fn offset(&self) -> u64 {
        self.body.start as u64
    }
}
