//! A zip that can be read in only one way: the file itself, or a torch.save file inside an entry.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::entry::Entry;
use super::error_context::{ErrorContext, nested_name};
use super::memory_map::MemoryMap;
use super::options::ReadOptions;
use super::slice::Slice;
use super::{cross_check, file, name_collisions, reader};
use crate::{Error, Result, timeline};

/// Entries of a zip, indexed by name.
#[derive(Debug)]
pub struct ZipFile {
    bytes: Slice,
    entries: Vec<Entry>,
    index: HashMap<Arc<str>, usize>,
    verify: bool,
}

impl ZipFile {
    /// Opens a file. Reads no entry's bytes.
    pub fn open(path: &Path, options: &ReadOptions) -> Result<Self> {
        let map = timeline::span("map", || file::read(path, options.memory));
        map.and_then(|map| timeline::span("index", || Self::parse(Slice::whole(map), options.verify)))
            .map_err(|error| error.in_archive(path))
    }

    /// Opens a zip from memory. Copies the bytes into page-aligned memory, as aligned as a mapped
    /// file.
    pub fn from_bytes(bytes: Vec<u8>, options: &ReadOptions) -> Result<Self> {
        Self::from_slice(&bytes, options)
    }

    /// Opens a zip from a copy of `bytes`.
    pub fn from_slice(bytes: &[u8], options: &ReadOptions) -> Result<Self> {
        ErrorContext::FILE.require(!bytes.is_empty(), "there are no bytes")?;
        let out_of_memory =
            |_| Error::OutOfMemory { reason: format!("{} bytes for an archive", bytes.len()) };
        let map = MemoryMap::copy(bytes, bytes.len()).map_err(out_of_memory)?;
        Self::parse(Slice::whole(map), options.verify)
    }

    /// Parses the zip in `bytes`. Reads no entry's bytes.
    pub fn parse(bytes: Slice, verify: bool) -> Result<Self> {
        let entries = reader::entries(bytes.bytes())?;
        name_collisions::require_distinct(&entries)?;
        cross_check::require_agreement(bytes.bytes(), &entries)?;
        let index = entries.iter().enumerate().map(|(at, entry)| (Arc::clone(&entry.name), at)).collect();
        Ok(Self { bytes, entries, index, verify })
    }

    /// Returns the entry with exactly this name, verified if the zip was opened with `verify`.
    pub fn get(&self, name: &str) -> Result<Slice> {
        self.entry(name).and_then(|slice| self.verified(slice))
    }

    /// Returns the entry with exactly this name, not verified.
    pub fn entry(&self, name: &str) -> Result<Slice> {
        let outer = self.bytes.label();
        let label = || if outer.is_empty() { name.to_owned() } else { nested_name(&outer, name) };
        self.find(name).ok_or_else(|| ErrorContext::entry(&label()).error("there is no such entry"))
    }

    /// Does the same as [`entry`](Self::entry), but returns None if there is no such entry.
    pub fn find(&self, name: &str) -> Option<Slice> {
        let entry = self.entries.get(*self.index.get(name)?)?;
        Some(self.bytes.part(entry))
    }

    /// Returns every name, in the order of the file.
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.entries.iter().map(Entry::name)
    }

    /// Returns the name at an index in that order.
    pub fn name_at(&self, place: usize) -> Option<&str> {
        self.entries.get(place).map(Entry::name)
    }

    /// Returns every entry, in the order of the file.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Returns true if entries are compared with their checksums.
    pub fn verifies(&self) -> bool {
        self.verify
    }

    /// Returns the size of the zip in bytes.
    pub fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Compares the bytes with their checksum if the zip was opened with `verify`.
    pub(super) fn verified(&self, slice: Slice) -> Result<Slice> {
        if self.verify {
            slice.verify()?;
        }
        Ok(slice)
    }
}
