//! End of central directory: the records that locate the central directory.

use std::ops::Range;

use super::error_context::ErrorContext;
use super::le_reader::LeReader;
use super::sniff;
use crate::Result;

const END_LENGTH: usize = 22;
const LOCATOR_LENGTH: usize = 20;
const WIDE_LENGTH: usize = 56;

/// Position of the central directory and the number of its entries.
pub(super) struct EndRecord {
    pub(super) count: u64,
    pub(super) directory: Range<usize>,
}

/// Fields that the end record and its ZIP64 form have in common.
#[derive(Clone, Copy, PartialEq)]
struct EndFields {
    count: u64,
    size: u64,
    offset: u64,
}

impl EndRecord {
    /// Reads the end record, which must be the last bytes of the file, and the ZIP64 records before
    /// it if present.
    pub(super) fn read(bytes: &[u8]) -> Result<Self> {
        let no_end = || ErrorContext::FILE.error(sniff::not_a_zip(bytes));
        let at = bytes.len().checked_sub(END_LENGTH).ok_or_else(no_end)?;
        let narrow = narrow(bytes, at).ok_or_else(no_end)??;
        match wide_position(bytes, at)? {
            None => located(narrow, at),
            Some(wide_at) => located(wide(bytes, wide_at, narrow)?, wide_at),
        }
    }
}

fn narrow(bytes: &[u8], at: usize) -> Option<Result<EndFields>> {
    let mut fields = LeReader::at(bytes, at)?;
    fields.signature(b"PK\x05\x06")?;
    let (disk, first_disk) = (fields.u16()?, fields.u16()?);
    let (here, count) = (fields.u16()?, fields.u16()?);
    let (size, offset) = (fields.u32()?, fields.u32()?);
    let comment = fields.u16()?;
    let claim = EndFields { count: count.into(), size: size.into(), offset: offset.into() };
    Some(one_volume(disk == 0 && first_disk == 0 && here == count).and_then(|()| {
        ErrorContext::FILE.require(comment == 0, "the end record announces a comment")?;
        Ok(claim)
    }))
}

fn one_volume(holds: bool) -> Result<()> {
    ErrorContext::FILE.require(holds, "it is one part of a zip in several volumes")
}

/// Returns the position of the ZIP64 end record if a locator precedes the end record.
fn wide_position(bytes: &[u8], end: usize) -> Result<Option<usize>> {
    let Some(at) = end.checked_sub(LOCATOR_LENGTH) else { return Ok(None) };
    let Some((disk, offset, disks)) = locator(bytes, at) else { return Ok(None) };
    one_volume(disk == 0 && disks == 1)?;
    let wide_at = at.checked_sub(WIDE_LENGTH);
    let agrees = wide_at.is_some_and(|wide_at| wide_at as u64 == offset);
    ErrorContext::FILE.require(agrees, "the ZIP64 locator does not point at the record before it")?;
    Ok(wide_at)
}

fn locator(bytes: &[u8], at: usize) -> Option<(u32, u64, u32)> {
    let mut fields = LeReader::at(bytes, at)?;
    fields.signature(b"PK\x06\x07")?;
    Some((fields.u32()?, fields.u64()?, fields.u32()?))
}

fn wide(bytes: &[u8], at: usize, narrow: EndFields) -> Result<EndFields> {
    let no_record = || ErrorContext::FILE.error("there is a ZIP64 locator but no ZIP64 end record");
    let claim = wide_claim(bytes, at).ok_or_else(no_record)??;
    let capped = EndFields {
        count: claim.count.min(0xffff),
        size: claim.size.min(0xffff_ffff),
        offset: claim.offset.min(0xffff_ffff),
    };
    ErrorContext::FILE.require(capped == narrow, "the end record and its ZIP64 form say different things")?;
    Ok(claim)
}

fn wide_claim(bytes: &[u8], at: usize) -> Option<Result<EndFields>> {
    let mut fields = LeReader::at(bytes, at)?;
    fields.signature(b"PK\x06\x06")?;
    // The stored length excludes the record's first two fields.
    let exact = fields.u64()? == WIDE_LENGTH as u64 - 12;
    let (_made_by, _needed) = (fields.u16()?, fields.u16()?);
    let (disk, first_disk) = (fields.u32()?, fields.u32()?);
    let (here, count) = (fields.u64()?, fields.u64()?);
    let claim = EndFields { count, size: fields.u64()?, offset: fields.u64()? };
    Some(one_volume(disk == 0 && first_disk == 0 && here == count).and_then(|()| {
        ErrorContext::FILE.require(exact, "the ZIP64 end record has a length that no writer gives it")?;
        Ok(claim)
    }))
}

fn located(claim: EndFields, end: usize) -> Result<EndRecord> {
    let start = usize::try_from(claim.offset).ok();
    let stop = claim.offset.checked_add(claim.size);
    let start = start.filter(|_| stop == Some(end as u64));
    let misplaced = "the directory does not reach from its stated offset to the end record";
    let start = start.ok_or_else(|| ErrorContext::FILE.error(misplaced))?;
    Ok(EndRecord { count: claim.count, directory: start..end })
}
