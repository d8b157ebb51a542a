//! Local header, in front of an entry's bytes.
//!
//! It may repeat the directory, or leave fields to the data descriptor. It must not contradict the
//! directory.

use std::ops::Range;

use super::central_directory::{CentralHeader, require_known, require_stored};
use super::data_descriptor;
use super::error_context::ErrorContext;
use super::extra_fields::ExtraFields;
use super::le_reader::LeReader;
use crate::Result;

/// Byte range of an entry's body, and the end of the whole entry.
pub(super) struct EntrySpan {
    pub(super) body: Range<usize>,
    pub(super) end: usize,
}

struct LocalHeader<'a> {
    needed: u16,
    flags: u16,
    method: u16,
    time: u32,
    crc32: u32,
    sizes: [u32; 2],
    name: &'a [u8],
    extra: &'a [u8],
}

/// Finds the body of the entry whose local header begins at `at`. `bytes` ends where the directory
/// begins.
pub(super) fn place(bytes: &[u8], at: usize, central: &CentralHeader) -> Result<EntrySpan> {
    let context = ErrorContext::entry(central.name);
    let missing = || context.error("there is no local header where the directory says");
    let mut fields = LeReader::at(bytes, at).ok_or_else(missing)?;
    let local = LocalHeader::read(&mut fields).ok_or_else(missing)?;
    local.check(central)?;
    let wide = local.wide(central)?;
    let start = bytes.len() - fields.left();
    let size = usize::try_from(central.size).ok();
    let body = size.and_then(|size| fields.bytes(size));
    let body = body.ok_or_else(|| context.error("its bytes run into the directory"))?;
    data_descriptor::skip(&mut fields, central, wide)?;
    Ok(EntrySpan { body: start..start + body.len(), end: bytes.len() - fields.left() })
}

impl<'a> LocalHeader<'a> {
    fn read(fields: &mut LeReader<'a>) -> Option<Self> {
        fields.signature(b"PK\x03\x04")?;
        let (needed, flags, method, time) = (fields.u16()?, fields.u16()?, fields.u16()?, fields.u32()?);
        let (crc32, sizes) = (fields.u32()?, [fields.u32()?, fields.u32()?]);
        let (name, extra) = (fields.u16()?, fields.u16()?);
        let name = fields.bytes(name.into())?;
        let extra = fields.bytes(extra.into())?;
        Some(Self { needed, flags, method, time, crc32, sizes, name, extra })
    }

    fn check(&self, central: &CentralHeader) -> Result<()> {
        let context = ErrorContext::entry(central.name);
        context.require(self.name == central.name.as_bytes(), "its local header gives another name")?;
        require_stored(central.name, self.flags, self.method)?;
        require_known(central.name, self.flags, self.needed)?;
        context.require(self.flags == central.flags, "its local header has other flags")?;
        context.require(self.time == central.time, "its local header has another time")?;
        let left_open = central.streamed() && self.crc32 == 0;
        context.require(left_open || self.crc32 == central.crc32, "its local header has another checksum")
    }

    /// Checks the sizes. Returns true if the header has a ZIP64 field.
    fn wide(&self, central: &CentralHeader) -> Result<bool> {
        let context = ErrorContext::entry(central.name);
        let wide = ExtraFields::read(self.extra, central.name)?.wide;
        let fits = match wide {
            None => self.sizes.iter().all(|&size| fits(size.into(), central)),
            Some(wide) => self.fits_wide(wide, central).unwrap_or(false),
        };
        context.require(fits, "its local header has other sizes")?;
        Ok(wide.is_some())
    }

    /// Returns true if a ZIP64 field agrees with the directory. It holds two sizes, or the offset,
    /// or all three.
    ///
    /// PyTorch's writer adds the field to headers whose 32-bit sizes are left open. Python's writer
    /// sets those sizes to all ones.
    fn fits_wide(&self, wide: &[u8], central: &CentralHeader) -> Option<bool> {
        let mut fields = LeReader::new(wide);
        let has_sizes = matches!(wide.len(), 16 | 24);
        let sizes_fit = !has_sizes || (fits(fields.u64()?, central) && fits(fields.u64()?, central));
        let offset_fits = wide.len() == 16 || fields.u64()? == central.offset;
        let narrow_fits = match self.sizes {
            [u32::MAX, u32::MAX] if has_sizes && !central.streamed() => true,
            sizes => sizes.iter().all(|&size| fits(size.into(), central)),
        };
        Some(sizes_fit && offset_fits && narrow_fits && fields.is_empty())
    }
}

/// Returns true if a size in a local header is the real one, or is left to the data descriptor.
fn fits(size: u64, central: &CentralHeader) -> bool {
    size == central.size || (size == 0 && central.streamed())
}
