//! Extra fields of a header: tagged values.

use super::error_context::ErrorContext;
use super::le_reader::LeReader;
use crate::{Error, Result};

const ZIP64: u16 = 0x0001;
const STRONG_ENCRYPTION: u16 = 0x0017;
const UNICODE_PATH: u16 = 0x7075;
const AES: u16 = 0x9901;

/// Extra fields that can change the meaning of an entry. All others are ignored, such as the
/// padding with which PyTorch aligns bodies.
pub(super) struct ExtraFields<'a> {
    /// Value of the ZIP64 field: 64-bit sizes and offset.
    pub(super) wide: Option<&'a [u8]>,
}

impl<'a> ExtraFields<'a> {
    /// Reads all extra fields of the header of `name`.
    pub(super) fn read(bytes: &'a [u8], name: &str) -> Result<Self> {
        let context = ErrorContext::entry(name);
        let mut extra = Self { wide: None };
        let mut fields = LeReader::new(bytes);
        while !fields.is_empty() {
            let (tag, value) =
                next(&mut fields).ok_or_else(|| context.error("an extra field is cut short"))?;
            extra.take(tag, value, name)?;
        }
        Ok(extra)
    }

    fn take(&mut self, tag: u16, value: &'a [u8], name: &str) -> Result<()> {
        let context = ErrorContext::entry(name);
        match tag {
            ZIP64 => context.require(self.wide.replace(value).is_none(), "it has two ZIP64 fields"),
            UNICODE_PATH => {
                context.require(is_path(value, name), "its Unicode path field gives it another name")
            }
            AES | STRONG_ENCRYPTION => Err(encrypted(name)),
            _ => Ok(()),
        }
    }
}

fn next<'a>(fields: &mut LeReader<'a>) -> Option<(u16, &'a [u8])> {
    let tag = fields.u16()?;
    let length = fields.u16()?;
    Some((tag, fields.bytes(length.into())?))
}

fn is_path(value: &[u8], name: &str) -> bool {
    let mut fields = LeReader::new(value);
    let version = fields.bytes(1);
    let checksum = fields.u32();
    version == Some(&[1])
        && checksum == Some(crc32fast::hash(name.as_bytes()))
        && fields.bytes(fields.left()) == Some(name.as_bytes())
}

/// Returns the error for an encrypted entry.
pub(super) fn encrypted(name: &str) -> Error {
    Error::Unsupported { what: format!("entry `{name}` is encrypted") }
}
