//! Archive as bytes that a mutator can change without regard to checksums and offsets.
//!
//! Entries follow each other, each introduced by [`MARK`], its name and a line end. A name with a
//! tab in it is an entry of a zip in the zip: `outer\tinner`.

#[allow(dead_code, clippy::all, reason = "shared with the tests")]
#[path = "../../tests/archive_builder/mod.rs"]
mod archive_builder;

use archive_builder::Zip;

pub const MARK: &[u8] = b"\xff\xfe#\x00";

type Entry<'a> = (String, &'a [u8]);

/// Builds the zip, which is valid.
pub fn zip(flat: &[u8]) -> Vec<u8> {
    let mut entries: Vec<(String, Vec<u8>)> = Vec::new();
    let mut inner: Option<(String, Vec<Entry<'_>>)> = None;
    for (name, body) in split(flat) {
        let nested = name.split_once('\t').map(|(outer, inner)| (outer.to_owned(), inner.to_owned()));
        if let Some((outer, held)) =
            inner.take_if(|(outer, _)| nested.as_ref().is_none_or(|(new, _)| new != outer))
        {
            entries.push((outer, write(&held)));
        }
        match nested {
            Some((outer, name)) => inner.get_or_insert_with(|| (outer, Vec::new())).1.push((name, body)),
            None => entries.push((name, body.to_vec())),
        }
    }
    entries.extend(inner.map(|(outer, held)| (outer, write(&held))));
    write(&entries.iter().map(|(name, body)| (name.clone(), body.as_slice())).collect::<Vec<_>>())
}

fn write(entries: &[Entry<'_>]) -> Vec<u8> {
    Zip::plain(&entries.iter().map(|(name, body)| (name.as_str(), *body)).collect::<Vec<_>>()).write()
}

fn split(flat: &[u8]) -> Vec<Entry<'_>> {
    let mut starts: Vec<usize> =
        flat.windows(MARK.len()).enumerate().filter(|(_, bytes)| *bytes == MARK).map(|(at, _)| at).collect();
    starts.push(flat.len());
    starts.windows(2).filter_map(|pair| entry(&flat[pair[0] + MARK.len()..pair[1]])).collect()
}

fn entry(piece: &[u8]) -> Option<Entry<'_>> {
    let end = piece.iter().position(|byte| *byte == b'\n')?;
    Some((String::from_utf8_lossy(&piece[..end]).into_owned(), &piece[end + 1..]))
}
