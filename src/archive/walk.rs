//! Reads the whole zip, directory and local headers side by side, and leaves no byte unexplained.

use super::blame::Blame;
use super::central::Central;
use super::end::End;
use super::entry::Entry;
use super::fields::Fields;
use super::local;
use crate::Result;

/// More than any model has tensors; it bounds what a hostile directory can make a reader allocate.
const MOST_ENTRIES: u64 = 1 << 18;
const SHORTEST_RECORD: u64 = 46;

/// Lists the entries of a zip that has one meaning. Entries lie in the order of the directory, each where the
/// one before it ends, the first at the very start, the last up to the directory.
pub(super) fn entries(bytes: &[u8]) -> Result<Vec<Entry>> {
    let end = End::read(bytes)?;
    let directory = bytes.get(end.directory.clone()).unwrap_or_default();
    let bodies = bytes.get(..end.directory.start).unwrap_or_default();
    require_countable(end.count, directory.len() as u64)?;
    let (entries, reached) = each(bodies, directory, end.count)?;
    Blame::FILE.require(reached == bodies.len(), "there are unused bytes before the directory")?;
    Ok(entries)
}

fn require_countable(count: u64, directory: u64) -> Result<()> {
    Blame::FILE.require(count <= MOST_ENTRIES, "it lists more than 262,144 entries")?;
    let fits = count * SHORTEST_RECORD <= directory;
    Blame::FILE.require(fits, "it lists more entries than its directory has room for")
}

/// Lists the entries, and where the last one ends.
fn each(bodies: &[u8], directory: &[u8], count: u64) -> Result<(Vec<Entry>, usize)> {
    let mut records = Fields::new(directory);
    let mut at = 0;
    let mut entries = Vec::with_capacity(count as usize);
    for _ in 0..count {
        let central = Central::read(&mut records)?;
        let (entry, end) = next(bodies, at, &central)?;
        entries.push(entry);
        at = end;
    }
    Blame::FILE.require(records.is_empty(), "the directory has more entries or bytes than it counts")?;
    Ok((entries, at))
}

fn next(bodies: &[u8], at: usize, central: &Central) -> Result<(Entry, usize)> {
    let blame = Blame::entry(central.name);
    let adjacent = central.offset == at as u64;
    blame.require(adjacent, "it does not begin where the entry before it ends")?;
    let placed = local::place(bodies, at, central)?;
    let entry = Entry {
        name: central.name.into(),
        header: at,
        body: placed.body,
        crc32: central.crc32,
        streamed: central.streamed(),
    };
    Ok((entry, placed.end))
}
