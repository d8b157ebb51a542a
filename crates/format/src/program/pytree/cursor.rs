//! Cursor over a JSON text that reads signs, strings, and whole values as text. It counts nesting
//! instead of recursing.

use super::super::json::string_end;
use std::borrow::Cow;

/// The unread rest of a text.
pub struct JsonCursor<'a> {
    whole: &'a str,
    rest: &'a str,
}

impl<'a> JsonCursor<'a> {
    pub fn new(text: &'a str) -> Self {
        JsonCursor { whole: text, rest: text }
    }

    /// Returns an error at the current position.
    pub fn error(&self, reason: &str) -> String {
        format!("{reason} at byte {}", self.whole.len() - self.rest.len())
    }

    /// Skips whitespace and returns the next character.
    pub fn peek(&mut self) -> Option<u8> {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
        self.rest.as_bytes().first().copied()
    }

    /// Consumes this sign if it comes next.
    pub fn eat(&mut self, sign: u8) -> bool {
        let found = self.peek() == Some(sign);
        if found {
            self.rest = self.rest.get(1..).unwrap_or_default();
        }
        found
    }

    /// Consumes this sign, or returns an error.
    pub fn expect(&mut self, sign: u8) -> Result<(), String> {
        if self.eat(sign) { Ok(()) } else { Err(self.error(&format!("`{}` is expected", char::from(sign)))) }
    }

    /// Consumes a string.
    pub fn string(&mut self) -> Result<Cow<'a, str>, String> {
        match self.peek() {
            Some(b'"') => {}
            _ => return Err(self.error("a string is expected")),
        }
        let text = self.take(string_end(self.rest, 0));
        let read = serde_json::from_str(text).map(Cow::Owned);
        read.map_err(|error| self.error(&error.to_string()))
    }

    /// Consumes a value of any kind. Returns its text and an upper bound on the number of values in
    /// it.
    pub fn value(&mut self) -> Result<(&'a str, usize), String> {
        let (mut depth, mut values, mut at) = (0usize, 1, 0);
        self.peek();
        while let Some(byte) = self.rest.as_bytes().get(at) {
            match byte {
                b'"' => {
                    at = string_end(self.rest, at);
                    continue;
                }
                b'[' | b'{' => depth += 1,
                b']' | b'}' if depth == 0 => break,
                b']' | b'}' => depth -= 1,
                b',' if depth == 0 => break,
                _ => {}
            }
            values += usize::from(matches!(byte, b'[' | b'{' | b','));
            at += 1;
        }
        match at {
            0 => Err(self.error("a value is expected")),
            at => Ok((self.take(at), values)),
        }
    }

    /// Consumes `length` bytes.
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }
}
