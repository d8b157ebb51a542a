//! Cross-check: the `zip` crate reads the same bytes and must find the same entries.

use std::io::Cursor;

use zip::read::{ArchiveOffset, Config};
use zip::{CompressionMethod, ZipArchive};

use super::entry::Entry;
use super::error_context::ErrorContext;
use crate::Result;

type ZipReader<'a> = ZipArchive<Cursor<&'a [u8]>>;

/// Returns an error unless the `zip` crate finds exactly `entries` in the same bytes.
pub(super) fn require_agreement(bytes: &[u8], entries: &[Entry]) -> Result<()> {
    let config = Config { archive_offset: ArchiveOffset::Known(0) };
    let opened = ZipArchive::with_config(config, Cursor::new(bytes));
    let mut reader = opened.map_err(|error| disagreement(ErrorContext::FILE, error))?;
    ErrorContext::FILE.require(reader.len() == entries.len(), "zip readers count its entries differently")?;
    entries.iter().enumerate().try_for_each(|(index, entry)| agree(&mut reader, index, entry))
}

fn agree(reader: &mut ZipReader, index: usize, entry: &Entry) -> Result<()> {
    let context = ErrorContext::entry(entry.name());
    let other = reader.by_index_raw(index).map_err(|error| disagreement(context, error))?;
    let same = other.name_raw() == entry.name().as_bytes()
        && other.header_start() == entry.header as u64
        && other.data_start() == Some(entry.offset())
        && [other.size(), other.compressed_size()] == [entry.size(); 2]
        && other.crc32() == entry.crc32()
        && other.compression() == CompressionMethod::Stored;
    context.require(same, "zip readers understand it differently")
}

fn disagreement(context: ErrorContext, error: zip::result::ZipError) -> crate::Error {
    context.error(format!("another zip reader refuses it: {error}"))
}
