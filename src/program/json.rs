//! Turns JSON text into records of the schema, and names the place of whatever is wrong.
//!
//! PyTorch 2.6 writes the floats that JSON cannot spell as bare words (`json.dumps` with `allow_nan`), 2.11 as
//! strings (`_dataclass_to_dict` in `torch/_export/serde/serialize.py`). Nesting is capped by serde_json at 128.

use std::borrow::Cow;

use super::schema::wire::Wire;
use crate::error::{Error, Result};

/// Reads one record that takes up the whole text.
pub fn read<T: for<'de> Wire<'de>>(json: &[u8]) -> Result<T> {
    let text = std::str::from_utf8(json)
        .map_err(|error| malformed("the text", format!("it is not UTF-8: {error}")))?;
    let text = quote_words(text);
    let mut json = serde_json::Deserializer::from_str(&text);
    match T::read(&mut json).and_then(|value| json.end().map(|()| value)) {
        Ok(value) => Ok(value),
        Err(error) => Err(locate::<T>(&text).unwrap_or_else(|| malformed("the end", error.to_string()))),
    }
}

/// Reads again with every step noted: only a failure pays for that.
fn locate<T: for<'de> Wire<'de>>(text: &str) -> Option<Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    let mut track = serde_path_to_error::Track::new();
    let error = T::read(serde_path_to_error::Deserializer::new(&mut json, &mut track)).err()?;
    let path = track.path().to_string();
    Some(malformed(if path == "." { "the top level" } else { &path }, error.to_string()))
}

/// The error for a program that breaks a rule.
pub fn malformed(at: impl Into<String>, reason: impl Into<String>) -> Error {
    Error::Program { at: at.into(), reason: reason.into() }
}

/// Puts the bare words for floats that are not finite into quotes. Words inside strings are left alone.
fn quote_words(text: &str) -> Cow<'_, str> {
    let mut quoted = String::new();
    let (mut copied, mut place) = (0, 0);
    while let Some(rest) = text.get(place..) {
        let Some(next) = rest.find(['"', 'N', 'I', '-']) else { break };
        let (start, rest) = (place + next, rest.get(next..).unwrap_or(""));
        let word = WORDS.iter().find(|word| rest.starts_with(**word));
        if let Some(word) = word {
            quoted.extend([text.get(copied..start).unwrap_or(""), "\"", word, "\""]);
            copied = start + word.len();
        }
        place = match word {
            Some(_) => copied,
            None if rest.starts_with('"') => start + string_length(rest),
            None => start + 1,
        };
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    quoted.push_str(text.get(copied..).unwrap_or(""));
    Cow::Owned(quoted)
}

const WORDS: [&str; 3] = ["NaN", "Infinity", "-Infinity"];

/// The bytes of the string that the text starts with, its quotes among them.
fn string_length(text: &str) -> usize {
    let mut bytes = text.bytes().enumerate().skip(1);
    while let Some((place, byte)) = bytes.next() {
        match byte {
            b'"' => return place + 1,
            b'\\' => drop(bytes.next()),
            _ => {}
        }
    }
    text.len()
}
