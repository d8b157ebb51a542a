//! Reads changed parts in a valid zip.

use super::sources::Entries;
use crate::archive_builder::Zip;
use pt2_format::Error;
use pt2_format::archive::{Archive, ReadOptions, ZipFile};
use pt2_format::weights::{self, pickle};

fn zip(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    Zip::plain(&entries.iter().map(|(name, body)| (name.as_str(), body.as_slice())).collect::<Vec<_>>())
        .write()
}

/// Reads every tensor of an archive in which one list is changed.
pub fn read(entries: &Entries, list: &str, json: &[u8]) -> Result<usize, Error> {
    let body = |(name, body): &(String, Vec<u8>)| {
        (name.clone(), if name == list { json.to_vec() } else { body.clone() })
    };
    let archive =
        Archive::from_bytes(zip(&entries.iter().map(body).collect::<Vec<_>>()), &ReadOptions::default())
            .unwrap();
    archive.models().iter().map(|model| weights::read(&archive, model).map(|tensors| tensors.len())).sum()
}

/// Reads the tensors of a torch.save file.
pub fn pickle(entries: &[(String, Vec<u8>)]) -> Result<usize, Error> {
    let container = ZipFile::from_bytes(zip(entries), &ReadOptions::default()).unwrap();
    pickle::read_tensors(&container).map(|tensors| tensors.len())
}

/// Returns a pickle with one byte changed, removed or repeated, or truncated there.
pub fn bytes(original: &[u8], at: usize) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> =
        [0, 1, b'.', b'(', 0x7f, 0x80, 0xff, original[at] ^ 1, original[at].wrapping_add(1)]
            .map(|byte| [&original[..at], &[byte], &original[at + 1..]].concat())
            .into();
    all.push([&original[..at], &original[at + 1..]].concat());
    all.push([&original[..at], &[original[at]], &original[at..]].concat());
    all.push(original[..at].to_vec());
    all
}
