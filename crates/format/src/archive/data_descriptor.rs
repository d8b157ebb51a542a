//! Data descriptor: repeats the checksum and the sizes after the bytes of an entry.

use memchr::memmem::Finder;

use super::central_directory::CentralHeader;
use super::error_context::ErrorContext;
use super::le_reader::LeReader;
use crate::Result;

const SIGNATURE: &[u8; 4] = b"PK\x07\x08";

/// Skips the descriptor of a streamed entry, which must agree with the directory. Its sizes have 64
/// bits exactly if the local header has a ZIP64 field. A reader without the directory distinguishes
/// the two forms in the same way.
pub(super) fn skip(fields: &mut LeReader, central: &CentralHeader, wide: bool) -> Result<()> {
    if !central.streamed() {
        return Ok(());
    }
    let expected = (central.crc32, central.size, central.size);
    let agrees = read(fields, wide) == Some(expected);
    ErrorContext::entry(central.name).require(agrees, "its data descriptor does not agree with the directory")
}

fn read(fields: &mut LeReader, wide: bool) -> Option<(u32, u64, u64)> {
    fields.signature(SIGNATURE)?;
    let crc32 = fields.u32()?;
    if wide {
        Some((crc32, fields.u64()?, fields.u64()?))
    } else {
        Some((crc32, fields.u32()?.into(), fields.u32()?.into()))
    }
}

/// Search for data descriptors inside a body, which may be scanned in parts. A reader without the
/// directory ends the entry at the first descriptor whose size fits.
pub(super) struct Search {
    finder: Finder<'static>,
}

impl Search {
    pub(super) fn new() -> Self {
        Self { finder: Finder::new(SIGNATURE) }
    }

    /// Returns true if a descriptor that begins in `from..to` would end the body early.
    pub(super) fn ends_early(&self, body: &[u8], from: usize, to: usize) -> bool {
        let reach = to.saturating_add(SIGNATURE.len() - 1).min(body.len());
        let part = body.get(from..reach).unwrap_or_default();
        self.finder.find_iter(part).any(|at| fits(body, from + at))
    }
}

fn fits(body: &[u8], at: usize) -> bool {
    let sizes = body.get(at..).and_then(|rest| rest.get(8..)).unwrap_or_default();
    let narrow = LeReader::new(sizes).u32().map(u64::from);
    let wide = LeReader::new(sizes).u64();
    [narrow, wide].contains(&Some(at as u64))
}
