//! Reads Rust sources as far as imports need: modules, `use` declarations and paths.

use std::collections::BTreeMap;

/// Imports of one source file.
#[derive(Debug, Default)]
pub struct Source {
    /// Modules that the file declares with `mod name;`, in order.
    pub modules: Vec<String>,
    /// All paths of at least two segments, and those of `use` declarations.
    pub paths: Vec<Vec<String>>,
    /// Path behind each name that a `use` declaration brings into scope.
    pub names: BTreeMap<String, Vec<String>>,
}

impl Source {
    /// Reads a file's text. Items for tests are ignored.
    pub fn of(text: &str) -> Source {
        let tokens = without_test_items(tokens(text));
        let mut source = Source::default();
        let mut at = 0;
        while at < tokens.len() {
            match tokens[at].as_str() {
                "mod" if tokens.get(at + 2).is_some_and(|end| end == ";") => {
                    source.modules.push(tokens[at + 1].clone());
                    at += 3;
                }
                "use" => at = source.tree(&tokens, at + 1, &[]),
                name if is_name(name) => at = source.path(&tokens, at),
                _ => at += 1,
            }
        }
        source
    }

    /// Reads a path outside of `use` declarations. Returns the position after it.
    fn path(&mut self, tokens: &[String], mut at: usize) -> usize {
        let mut path = vec![tokens[at].clone()];
        at += 1;
        while tokens.get(at).is_some_and(|token| token == "::")
            && tokens.get(at + 1).is_some_and(|token| is_name(token))
        {
            path.push(tokens[at + 1].clone());
            at += 2;
        }
        if path.len() > 1 {
            self.paths.push(path);
        }
        at
    }

    /// Reads a use tree after these segments. Returns the position after it.
    fn tree(&mut self, tokens: &[String], mut at: usize, before: &[String]) -> usize {
        let mut path = before.to_vec();
        loop {
            match tokens[at].as_str() {
                "::" => at += 1,
                "{" => {
                    at += 1;
                    while tokens[at] != "}" {
                        at = self.tree(tokens, at, &path);
                        if tokens[at] == "," {
                            at += 1;
                        }
                    }
                    return at + 1;
                }
                "as" => {
                    self.names.insert(tokens[at + 1].clone(), path.clone());
                    self.paths.push(path);
                    return at + 2;
                }
                token if is_name(token) || token == "*" => {
                    path.push(token.to_owned());
                    at += 1;
                }
                _ => break,
            }
        }
        if path.last().is_some_and(|last| last == "self" || last == "*") && path.len() > 1 {
            path.pop();
        }
        if let Some(name) = path.last() {
            self.names.insert(name.clone(), path.clone());
            self.paths.push(path);
        }
        at
    }
}

fn is_name(token: &str) -> bool {
    token.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// Returns names, `::` and single characters. Comments and literals are left out.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = skipped(rest).unwrap_or_else(|| {
            let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            let length = match word {
                0 if rest.starts_with("::") => 2,
                0 => first.len_utf8(),
                word => word,
            };
            if !first.is_whitespace() {
                tokens.push(rest[..length].to_owned());
            }
            length
        });
        rest = &rest[length..];
    }
    tokens
}

/// Returns the length of a comment or literal at the start of the text.
fn skipped(text: &str) -> Option<usize> {
    let after =
        |start: usize, end: &str| text[start..].find(end).map_or(text.len(), |at| start + at + end.len());
    if text.starts_with("//") {
        return Some(after(0, "\n"));
    }
    if text.starts_with("/*") {
        return Some(after(2, "*/"));
    }
    if let Some(raw) = text.strip_prefix("br").or_else(|| text.strip_prefix('r')) {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw[hashes..].starts_with('"') {
            let start = text.len() - raw.len() + hashes + 1;
            return Some(after(start, &format!("\"{}", "#".repeat(hashes))));
        }
    }
    match text.as_bytes() {
        [b'"', ..] => Some(1 + closing(&text[1..], '"')),
        [b'\'', b'\\', ..] => Some(3 + closing(&text[3..], '\'')),
        // A character, but no lifetime.
        [b'\'', ..] if text.chars().nth(2) == Some('\'') => {
            Some(2 + text.chars().nth(1).map_or(0, char::len_utf8))
        }
        _ => None,
    }
}

/// Returns the length up to and with the closing quote.
fn closing(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if c == quote && !escaped {
            return at + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    text.len()
}

/// Leaves out each item after `#[cfg(test)]`: up to its `;` or the end of its braces.
fn without_test_items(tokens: Vec<String>) -> Vec<String> {
    const TEST: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if !tokens[at..].iter().map(String::as_str).take(TEST.len()).eq(TEST) {
            kept.push(tokens[at].clone());
            at += 1;
            continue;
        }
        let mut depth = 0;
        while at < tokens.len() {
            let token = tokens[at].as_str();
            at += 1;
            depth += i32::from(token == "{") - i32::from(token == "}");
            if depth == 0 && (token == ";" || token == "}") {
                break;
            }
        }
    }
    kept
}

#[test]
fn imports_are_read() {
    let source = Source::of(
        "mod a; pub mod b; /* use x::y; */ // use x::z;
         use super::{c, d::{self, E as F}, g::*};
         pub(crate) use a::H;
         fn f<'a>(x: &'a str) { crate::i::j(\"k::l\", 'm', '\\'', r#\"n::o\"#); Vec::<u8>::new() }
         #[cfg(test)] mod tests { use super::p::q; }
         fn g() { b::r() }",
    );
    let paths: Vec<String> = source.paths.iter().map(|path| path.join("::")).collect();
    assert_eq!(source.modules, ["a", "b"]);
    assert_eq!(paths, ["super::c", "super::d", "super::d::E", "super::g", "a::H", "crate::i::j", "b::r"]);
    assert_eq!(source.names["F"].join("::"), "super::d::E");
}
