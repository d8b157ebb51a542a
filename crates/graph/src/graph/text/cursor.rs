//! Cursor over a text, which consumes characters from the front.

use crate::graph::MAX_DEPTH;
use crate::{Error, Result};

/// Rest of a text, and the nesting depth at its start.
pub struct Cursor<'a> {
    whole: &'a str,
    rest: &'a str,
    depth: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(text: &'a str) -> Cursor<'a> {
        Cursor { whole: text, rest: text, depth: 0 }
    }

    pub fn error<T>(&self, reason: impl Into<String>) -> Result<T> {
        let read = self.whole.len() - self.rest.len();
        let line = self.whole.bytes().take(read).filter(|byte| *byte == b'\n').count() + 1;
        Err(Error::Program { at: format!("line {line} of a graph's text"), reason: reason.into() })
    }

    /// Skips white space and returns the rest.
    pub fn rest(&mut self) -> &'a str {
        self.rest = self.rest.trim_start();
        self.rest
    }

    pub fn at_end(&mut self) -> bool {
        self.rest().is_empty()
    }

    /// Consumes `text` if it is next, and returns true if so.
    pub fn eat(&mut self, text: &str) -> bool {
        match self.rest().strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    pub fn expect(&mut self, text: &str) -> Result<()> {
        if self.eat(text) { Ok(()) } else { self.error(format!("`{text}` is missing")) }
    }

    /// Consumes `word` if it is next and ends there, and returns true if so.
    pub fn eat_word(&mut self, word: &str) -> bool {
        self.peek_run(is_plain) == word && self.eat(word)
    }

    /// Returns the longest run of characters of one class that is next.
    pub fn peek_run(&mut self, class: fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        rest.find(|character| !class(character)).and_then(|end| rest.get(..end)).unwrap_or(rest)
    }

    pub fn run(&mut self, class: fn(char) -> bool) -> &'a str {
        let run = self.peek_run(class);
        self.rest = self.rest.get(run.len()..).unwrap_or_default();
        run
    }

    /// Enters a level, and fails beyond the maximum depth. A matching [`Cursor::leave`] follows
    /// each success.
    pub fn enter(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { self.error(format!("it nests deeper than {MAX_DEPTH}")) } else { Ok(()) }
    }

    pub fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Returns the position, for [`Cursor::back_to`].
    pub fn place(&self) -> &'a str {
        self.rest
    }

    pub fn back_to(&mut self, place: &'a str) {
        self.rest = place;
    }

    /// Reads items between commas, up to and including `end`.
    pub fn items(&mut self, end: &str, mut item: impl FnMut(&mut Self) -> Result<()>) -> Result<()> {
        if self.eat(end) {
            return Ok(());
        }
        loop {
            item(self)?;
            if self.eat(end) {
                return Ok(());
            }
            self.expect(",")?;
        }
    }

    /// Reads a bare or quoted name.
    pub fn name(&mut self) -> Result<String> {
        self.name_if_any()?.map_or_else(|| self.error("a name is missing"), Ok)
    }

    /// Reads a bare or quoted name. Returns None and consumes nothing but white space if none is
    /// next.
    pub fn name_if_any(&mut self) -> Result<Option<String>> {
        if self.rest().starts_with('"') {
            return self.string().map(Some);
        }
        let name = self.run(is_plain);
        Ok((!name.is_empty()).then(|| name.to_owned()))
    }

    /// Reads a string in quotes.
    pub fn string(&mut self) -> Result<String> {
        self.expect("\"")?;
        let mut text = String::new();
        loop {
            match self.character() {
                Some('"') => return Ok(text),
                Some('\\') => match self.escape() {
                    Some(character) => text.push(character),
                    None => return self.error("an unknown escape in a string"),
                },
                Some(character) => text.push(character),
                None => return self.error("a string has no end"),
            }
        }
    }

    fn character(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let character = characters.next()?;
        self.rest = characters.as_str();
        Some(character)
    }

    fn escape(&mut self) -> Option<char> {
        match self.character()? {
            'n' => Some('\n'),
            't' => Some('\t'),
            'r' => Some('\r'),
            '0' => Some('\0'),
            same @ ('"' | '\\') => Some(same),
            'u' => {
                let (digits, rest) = self.rest.strip_prefix('{')?.split_once('}')?;
                self.rest = rest;
                u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)
            }
            _ => None,
        }
    }
}

/// Returns true for letters, digits and underscores.
pub fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}
