//! Parses JSON text into records of the schema. Errors name the position.
//!
//! JSON has no notation for non-finite floats. PyTorch 2.6 writes them as bare words (`json.dumps`
//! with `allow_nan`), 2.11 as strings (`_dataclass_to_dict` in `torch/_export/serde/serialize.py`).
//! serde_json limits nesting to 128.

use std::borrow::Cow;

use memchr::memmem;

use super::schema::wire::Wire;
use crate::error::{Error, Result};

/// Parses one record that spans the whole text.
pub fn read<T: for<'de> Wire<'de>>(json: &[u8]) -> Result<T> {
    let text = std::str::from_utf8(json)
        .map_err(|error| malformed("the text", format!("it is not UTF-8: {error}")))?;
    let text = repair_surrogates(text);
    let text = quote_words(&text);
    let mut json = serde_json::Deserializer::from_str(&text);
    match T::read(&mut json).and_then(|value| json.end().map(|()| value)) {
        Ok(value) => Ok(value),
        Err(error) => Err(locate::<T>(&text).unwrap_or_else(|| malformed("the end", error.to_string()))),
    }
}

/// Finds the position of an error by parsing again with path tracking, so that only failures pay
/// for it.
fn locate<T: for<'de> Wire<'de>>(text: &str) -> Option<Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    let mut track = serde_path_to_error::Track::new();
    let error = T::read(serde_path_to_error::Deserializer::new(&mut json, &mut track)).err()?;
    let path = track.path().to_string();
    Some(malformed(if path == "." { "the top level" } else { &path }, error.to_string()))
}

/// Returns the error for a program that breaks a rule.
pub fn malformed(at: impl Into<String>, reason: impl Into<String>) -> Error {
    Error::Program { at: at.into(), reason: reason.into() }
}

/// Replaces unpaired escaped surrogates by U+FFFD.
///
/// Python writes them for text from bytes that are not UTF-8, such as the path of a source file in
/// a stack trace. Python also reads them, but Rust strings cannot hold them.
pub fn repair_surrogates(text: &str) -> Cow<'_, str> {
    let (mut repaired, mut copied, mut place) = (String::new(), 0, 0);
    while let Some(next) = memchr::memchr(b'\\', text.as_bytes().get(place..).unwrap_or(&[])) {
        let at = place + next;
        let (high, low) = (surrogate(text, at), surrogate(text, at + 6));
        place = match (high, low) {
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => at + 12,
            (Some(_), _) => {
                repaired.extend([text.get(copied..at).unwrap_or(""), "\\ufffd"]);
                copied = at + 6;
                copied
            }
            // Skips the backslash and the escaped character.
            (None, _) => at + 2,
        };
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    repaired.push_str(text.get(copied..).unwrap_or(""));
    Cow::Owned(repaired)
}

/// Returns the surrogate that is escaped at this position.
fn surrogate(text: &str, at: usize) -> Option<u16> {
    let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
    let all = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    u16::from_str_radix(digits, 16).ok().filter(|code| all && (0xd800..0xe000).contains(code))
}

/// Quotes the bare words for non-finite floats. Words inside strings are unchanged.
pub fn quote_words(text: &str) -> Cow<'_, str> {
    if !["NaN", "Infinity"].iter().any(|word| memmem::find(text.as_bytes(), word.as_bytes()).is_some()) {
        return Cow::Borrowed(text);
    }
    let mut quoted = String::new();
    let (mut copied, mut place) = (0, 0);
    while let Some(&byte) = text.as_bytes().get(place) {
        let word = word_at(text, place);
        if let Some(word) = word {
            quoted.extend([text.get(copied..place).unwrap_or(""), "\"", word, "\""]);
            copied = place + word.len();
        }
        place = match (word, byte) {
            (Some(_), _) => copied,
            (None, b'"') => string_end(text, place),
            (None, _) => place + 1,
        };
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    quoted.push_str(text.get(copied..).unwrap_or(""));
    Cow::Owned(quoted)
}

const WORDS: [&str; 3] = ["NaN", "Infinity", "-Infinity"];

fn word_at(text: &str, place: usize) -> Option<&'static str> {
    let rest = text.as_bytes().get(place..)?;
    WORDS.into_iter().find(|word| rest.starts_with(word.as_bytes()))
}

/// Returns the position after the string that begins at `start`.
pub fn string_end(text: &str, start: usize) -> usize {
    let mut place = start + 1;
    loop {
        let rest = text.as_bytes().get(place..).unwrap_or(&[]);
        match memchr::memchr2(b'"', b'\\', rest) {
            Some(next) if rest.get(next) == Some(&b'"') => return place + next + 1,
            // Skips the backslash and the escaped character.
            Some(next) => place += next + 2,
            None => return text.len(),
        }
    }
}
