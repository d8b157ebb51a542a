//! Reads a whole zip, comparing the directory with the local headers, and accounts for every byte.

use super::central_directory::CentralHeader;
use super::end_of_central_directory::EndRecord;
use super::entry::Entry;
use super::error_context::ErrorContext;
use super::le_reader::LeReader;
use super::local_header;
use crate::Result;

/// Limit on the memory that a malicious directory can make the reader allocate. No model has as
/// many tensors.
const MOST_ENTRIES: u64 = 1 << 18;
const SHORTEST_RECORD: u64 = 46;

/// Lists the entries of a zip that can be read in only one way.
///
/// Entries are in the order of the directory. The first begins at the start of the file, each next
/// one where the previous ends, and the last ends at the directory.
pub(super) fn entries(bytes: &[u8]) -> Result<Vec<Entry>> {
    let end = EndRecord::read(bytes)?;
    let directory = bytes.get(end.directory.clone()).unwrap_or_default();
    let bodies = bytes.get(..end.directory.start).unwrap_or_default();
    require_countable(end.count, directory.len() as u64)?;
    let (entries, reached) = each(bodies, directory, end.count)?;
    ErrorContext::FILE.require(reached == bodies.len(), "there are unused bytes before the directory")?;
    Ok(entries)
}

fn require_countable(count: u64, directory: u64) -> Result<()> {
    ErrorContext::FILE.require(count <= MOST_ENTRIES, "it lists more than 262,144 entries")?;
    let fits = count * SHORTEST_RECORD <= directory;
    ErrorContext::FILE.require(fits, "it lists more entries than its directory has room for")
}

/// Reads `count` records. Returns the entries and the position where the last one ends.
fn each(bodies: &[u8], directory: &[u8], count: u64) -> Result<(Vec<Entry>, usize)> {
    let mut records = LeReader::new(directory);
    let mut at = 0;
    let mut entries = Vec::with_capacity(count as usize);
    for _ in 0..count {
        let central = CentralHeader::read(&mut records)?;
        let (entry, end) = next(bodies, at, &central)?;
        entries.push(entry);
        at = end;
    }
    ErrorContext::FILE
        .require(records.is_empty(), "the directory has more entries or bytes than it counts")?;
    Ok((entries, at))
}

fn next(bodies: &[u8], at: usize, central: &CentralHeader) -> Result<(Entry, usize)> {
    let context = ErrorContext::entry(central.name);
    let adjacent = central.offset == at as u64;
    context.require(adjacent, "it does not begin where the entry before it ends")?;
    let placed = local_header::place(bodies, at, central)?;
    let entry = Entry {
        name: central.name.into(),
        header: at,
        body: placed.body,
        crc32: central.crc32,
        streamed: central.streamed(),
    };
    Ok((entry, placed.end))
}
