//! Rules for entry names.
//!
//! Names are keys here and never become paths, but other readers turn them into paths. A name that
//! two readers could resolve to two places is rejected.

use std::borrow::Cow;

use super::error_context::ErrorContext;
use crate::Result;

const LONGEST: usize = 4096;
const UTF8: u16 = 1 << 11;

/// Decodes a name, and rejects names that readers could interpret differently.
pub(super) fn read(raw: &[u8], flags: u16) -> Result<&str> {
    let shown = String::from_utf8_lossy(raw.get(..LONGEST).unwrap_or(raw));
    let context = ErrorContext::entry(&shown);
    context.require(raw.len() <= LONGEST, "its name is longer than 4096 bytes")?;
    let name = std::str::from_utf8(raw).map_err(|_| context.error("its name is not UTF-8"))?;
    context.require(
        name.is_ascii() || flags & UTF8 != 0,
        "its name is not ASCII and not marked as UTF-8, so its encoding is a guess",
    )?;
    check(name, context).map(|()| name)
}

fn check(name: &str, context: ErrorContext) -> Result<()> {
    context.require(!name.is_empty(), "it has no name")?;
    context.require(!name.contains(char::is_control), "its name contains a control character")?;
    context.require(!name.contains('\\'), "its name contains a backslash")?;
    context.require(!name.starts_with('/'), "its name is an absolute path")?;
    context.require(!has_drive(name), "its name starts with a drive letter")?;
    context.require(!name.ends_with('/'), "it is a folder, and archives hold only files")?;
    let plain = name.split('/').all(|part| !part.bytes().all(|byte| byte == b'.'));
    context.require(plain, "its name has a part that is empty or only dots")
}

fn has_drive(name: &str) -> bool {
    matches!(name.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic())
}

/// Folds a name as the least discriminating file system would: case, the characters that Windows
/// replaces, and the trailing dots and spaces that it drops.
pub(super) fn folded(name: &str) -> Cow<'_, str> {
    let unchanged = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-/".contains(&byte);
    if name.bytes().all(unchanged) {
        return Cow::Borrowed(name);
    }
    let parts = name.split('/').map(|part| part.trim_end_matches(['.', ' ']));
    let joined = parts.collect::<Vec<_>>().join("/");
    // Upper case first: `ß` and `ss` become equal only in upper case.
    Cow::Owned(joined.to_uppercase().to_lowercase().replace(['<', '>', ':', '"', '|', '?', '*'], "_"))
}
