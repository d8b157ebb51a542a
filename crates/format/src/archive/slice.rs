//! Bytes of one entry, in mapped or copied memory.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::data_descriptor::Search;
use super::entry::Entry;
use super::error_context::{ErrorContext, nested_name, within};
use super::memory_map::MemoryMap;
use super::zip_file::ZipFile;
use crate::{Error, Result, parallel};
use crc32fast::Hasher;

/// Bytes that are hashed and searched together, so that the search finds them in cache.
const PART: usize = 1 << 15;

/// Bytes that one of several threads takes at a time.
const STRETCH: usize = 4 << 20;

/// Bytes of an entry. Cloning is cheap; dropping the last clone frees the memory of the file.
#[derive(Clone, Debug)]
pub struct Slice {
    map: Arc<MemoryMap>,
    range: Range<usize>,
    name: Arc<str>,
    /// The entry that holds this entry's zip. None if the zip is the file itself.
    outer: Option<Arc<str>>,
    crc32: Option<u32>,
    streamed: bool,
}

impl Slice {
    /// Returns a slice of the whole file.
    pub(super) fn whole(map: MemoryMap) -> Self {
        let range = 0..map.len();
        Self { map: Arc::new(map), range, name: "".into(), outer: None, crc32: None, streamed: false }
    }

    /// Returns the bytes of an entry of the zip that this slice holds.
    pub(super) fn part(&self, entry: &Entry) -> Self {
        let start = self.range.start + entry.body.start;
        Self {
            map: Arc::clone(&self.map),
            range: start..start + entry.body.len(),
            name: Arc::clone(&entry.name),
            outer: Some(self.label().into()).filter(|_| !self.name.is_empty()),
            crc32: Some(entry.crc32),
            streamed: entry.streamed,
        }
    }

    /// Returns the bytes. The caller must not write through [`as_mut_ptr`](Self::as_mut_ptr) while
    /// the result is alive.
    pub fn bytes(&self) -> &[u8] {
        self.map.bytes(self.range.clone())
    }

    /// Returns the entry's full name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the address of the first byte.
    pub fn as_ptr(&self) -> *const u8 {
        self.as_mut_ptr()
    }

    /// Returns the address of the first byte, for programs that mutate their weights. Writes are
    /// visible to every clone and never reach the file. After a write, [`verify`](Self::verify)
    /// fails.
    ///
    /// The writer must ensure that no other thread accesses the bytes at the same time, and that no
    /// result of [`bytes`](Self::bytes) is alive.
    pub fn as_mut_ptr(&self) -> *mut u8 {
        self.map.at(self.range.start)
    }

    /// Returns the number of bytes.
    pub fn len(&self) -> usize {
        self.range.len()
    }

    /// Returns true if there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.range.is_empty()
    }

    /// Returns the position of the first byte in the file.
    pub fn offset(&self) -> u64 {
        self.range.start as u64
    }

    /// Returns the checksum recorded in the central directory, or 0 for a whole file.
    pub fn crc32(&self) -> u32 {
        self.crc32.unwrap_or_default()
    }

    /// Returns memory to the operating system where the bytes can be read from the file again. The
    /// caller must not have written to them, through this slice or a clone.
    pub fn discard(&self) {
        self.map.discard(self.range.clone());
    }

    /// Compares all bytes with the checksum in the central directory.
    pub fn verify(&self) -> Result<()> {
        self.require(|| self.scan(0..self.len()))
    }

    /// Does the same as [`verify`](Self::verify) on several threads, for callers that verify this
    /// entry alone.
    pub fn verify_in_threads(&self) -> Result<()> {
        self.require(|| {
            let stretch = |from| (from..self.len().min(from + STRETCH), OnceLock::new());
            let stretches: Vec<(Range<usize>, OnceLock<Hasher>)> =
                (0..self.len()).step_by(STRETCH).map(stretch).collect();
            let scan = |_: &mut (), (range, hasher): &(Range<usize>, OnceLock<Hasher>)| {
                self.scan(range.clone()).map(|found| drop(hasher.set(found)))
            };
            parallel::for_each(&stretches, || Ok(()), scan)?;
            let mut whole = Hasher::new();
            stretches.iter().filter_map(|(_, hasher)| hasher.get()).for_each(|part| whole.combine(part));
            Ok(whole)
        })
    }

    fn require(&self, scan: impl FnOnce() -> Result<Hasher>) -> Result<()> {
        let Some(expected) = self.crc32 else { return Ok(()) };
        let found = scan()?.finalize();
        if found == expected { Ok(()) } else { Err(Error::Checksum { entry: self.label(), expected, found }) }
    }

    /// Opens the torch.save file (a zip) that these bytes hold. If `verify` is true, checks these
    /// bytes first, and each inner entry when it is read.
    pub fn nested(&self, verify: bool) -> Result<ZipFile> {
        if verify {
            self.verify()?;
        }
        ZipFile::parse(self.clone(), verify).map_err(|error| within(&self.label(), error))
    }

    /// Returns the name as messages show it, with the outer entry if there is one.
    pub(super) fn label(&self) -> String {
        match &self.outer {
            Some(outer) => nested_name(outer, &self.name),
            None => self.name.as_ref().to_owned(),
        }
    }

    /// Hashes a range, and returns an error if some reader would end the entry inside it.
    fn scan(&self, range: Range<usize>) -> Result<Hasher> {
        let body = self.bytes();
        let search = self.streamed.then(Search::new);
        let mut hasher = Hasher::new();
        for from in range.clone().step_by(PART) {
            let part = from..range.end.min(from + PART);
            hasher.update(body.get(part.clone()).unwrap_or_default());
            let early = search.as_ref().is_some_and(|search| search.ends_early(body, part.start, part.end));
            let hidden = "its bytes contain a data descriptor at which some readers end it";
            ErrorContext::entry(&self.label()).require(!early, hidden)?;
        }
        Ok(hasher)
    }
}
