//! Central directory header: one record of the central directory.

use super::entry_name;
use super::error_context::ErrorContext;
use super::extra_fields::{ExtraFields, encrypted};
use super::le_reader::LeReader;
use crate::{Error, Result};

/// Flag bit: a data descriptor follows the body.
pub(super) const STREAMED: u16 = 1 << 3;
const ENCRYPTED: u16 = 1;
const UTF8: u16 = 1 << 11;
const NARROW_MAX: u32 = u32::MAX;

/// An entry's record in the central directory, after all checks that need no other record.
pub(super) struct CentralHeader<'a> {
    pub(super) name: &'a str,
    pub(super) flags: u16,
    pub(super) time: u32,
    pub(super) crc32: u32,
    pub(super) size: u64,
    pub(super) offset: u64,
}

struct RawHeader<'a> {
    needed: u16,
    flags: u16,
    method: u16,
    time: u32,
    crc32: u32,
    compressed: u32,
    size: u32,
    disk: u16,
    attributes: u32,
    offset: u32,
    name: &'a [u8],
    extra: &'a [u8],
    comment: &'a [u8],
}

impl<'a> CentralHeader<'a> {
    /// Reads and checks the next record of the directory.
    pub(super) fn read(fields: &mut LeReader<'a>) -> Result<Self> {
        let missing = || ErrorContext::FILE.error("the directory ends before its last entry");
        let raw = RawHeader::read(fields).ok_or_else(missing)?;
        let name = entry_name::read(raw.name, raw.flags)?;
        raw.check(name)?;
        let (size, offset) = raw.sizes(name)?;
        Ok(Self { name, flags: raw.flags, time: raw.time, crc32: raw.crc32, size, offset })
    }

    /// Returns true if a data descriptor follows the body.
    pub(super) fn streamed(&self) -> bool {
        self.flags & STREAMED != 0
    }
}

impl<'a> RawHeader<'a> {
    fn read(fields: &mut LeReader<'a>) -> Option<Self> {
        fields.signature(b"PK\x01\x02")?;
        let _made_by = fields.u16()?;
        let (needed, flags, method, time) = (fields.u16()?, fields.u16()?, fields.u16()?, fields.u32()?);
        let (crc32, compressed, size) = (fields.u32()?, fields.u32()?, fields.u32()?);
        let (name, extra, comment) = (fields.u16()?, fields.u16()?, fields.u16()?);
        let (disk, _internal, attributes, offset) =
            (fields.u16()?, fields.u16()?, fields.u32()?, fields.u32()?);
        let name = fields.bytes(name.into())?;
        let extra = fields.bytes(extra.into())?;
        let comment = fields.bytes(comment.into())?;
        Some(Self {
            needed,
            flags,
            method,
            time,
            crc32,
            compressed,
            size,
            disk,
            attributes,
            offset,
            name,
            extra,
            comment,
        })
    }

    fn check(&self, name: &str) -> Result<()> {
        let context = ErrorContext::entry(name);
        require_stored(name, self.flags, self.method)?;
        require_known(name, self.flags, self.needed)?;
        context.require(self.disk == 0, "it lies in another volume")?;
        context.require(self.comment.is_empty(), "it has a comment, which could hide another zip")?;
        context.require(is_plain_file(self.attributes), "its attributes say that it is no plain file")
    }

    /// Returns the size and the offset. The ZIP64 field must hold a value exactly where the 32-bit
    /// field is all ones.
    fn sizes(&self, name: &str) -> Result<(u64, u64)> {
        let context = ErrorContext::entry(name);
        let wide = ExtraFields::read(self.extra, name)?.wide;
        context.require(wide != Some(&[]), "its ZIP64 field is empty")?;
        let mut wide = LeReader::new(wide.unwrap_or_default());
        let mut value = |narrow| widened(narrow, &mut wide);
        let values = (value(self.size), value(self.compressed), value(self.offset));
        let (Some(size), Some(compressed), Some(offset)) = values else {
            return Err(context.error("its ZIP64 field lacks a value"));
        };
        context.require(wide.is_empty(), "its ZIP64 field has a value that nothing asks for")?;
        context.require(size == compressed, "it is stored but has two different sizes")?;
        Ok((size, offset))
    }
}

fn widened(narrow: u32, wide: &mut LeReader) -> Option<u64> {
    if narrow == NARROW_MAX { wide.u64() } else { Some(narrow.into()) }
}

/// Rejects entries that are encrypted or compressed.
pub(super) fn require_stored(name: &str, flags: u16, method: u16) -> Result<()> {
    if flags & ENCRYPTED != 0 {
        return Err(encrypted(name));
    }
    let method = match method {
        0 => return Ok(()),
        8 => "deflate".to_owned(),
        other => format!("method {other}"),
    };
    let what =
        format!("entry `{name}` is compressed ({method}); PyTorch's writers store entries as they are");
    Err(Error::Unsupported { what })
}

/// Rejects flags and versions that no writer of archives uses.
pub(super) fn require_known(name: &str, flags: u16, needed: u16) -> Result<()> {
    let context = ErrorContext::entry(name);
    context.require(flags & !(STREAMED | UTF8) == 0, "its flags ask for something that no archive needs")?;
    // 4.5 is ZIP64. The high byte names an operating system and does not affect reading.
    context.require(needed & 0xff <= 45, "it needs a zip reader newer than 4.5")
}

/// Returns true unless the Unix mode or the DOS attributes mark the entry as a folder, link or
/// device. Readers differ in which half they use, so both are checked whatever system wrote them.
fn is_plain_file(attributes: u32) -> bool {
    let unix_kind = attributes >> 28;
    let dos_folder_or_volume = attributes & 0x18 != 0;
    (unix_kind == 0 || unix_kind == 0o10) && !dos_folder_or_volume
}
