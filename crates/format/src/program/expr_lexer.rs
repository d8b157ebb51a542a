//! Lexer: splits the text of an expression into tokens.

use std::fmt;

use super::expr_function::ExprFunction;
use super::expr_parser::{COMPARISON, ExprError};

/// A token of the text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Token<'t> {
    /// A name.
    Name(&'t str),
    /// Decimal digits.
    Int(&'t str),
    /// A number with a decimal point or an exponent.
    Float(f64),
    /// The content of a string literal.
    Text(&'t str),
    /// An input source: `L` with its keys and attributes.
    Place(&'t str),
    /// An operator or a punctuation mark.
    Sign(&'static str),
    /// The end of the text.
    End,
}

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::Name(word) | Token::Int(word) | Token::Text(word) | Token::Place(word) => {
                write!(f, "`{word}`")
            }
            Token::Float(value) => write!(f, "`{value}`"),
            Token::Sign(sign) => write!(f, "`{sign}`"),
            Token::End => f.write_str("the end"),
        }
    }
}

/// A longer sign comes before its own prefixes.
const SIGNS: &[&str] = &[
    "**", "//", "<<", ">>", "<=", ">=", "==", "!=", "<", ">", "+", "-", "*", "/", "%", "&", "|", "^", "~",
    "(", ")", ",", "=",
];

/// Binary operators with their precedence, and the precedence that their right operand needs.
const OPERATORS: &[(&str, ExprFunction, u8, u8)] = &[
    ("or", ExprFunction::Or, 1, 2),
    ("and", ExprFunction::And, 2, 3),
    ("==", ExprFunction::Eq, COMPARISON, 5),
    ("!=", ExprFunction::Ne, COMPARISON, 5),
    ("<", ExprFunction::Lt, COMPARISON, 5),
    ("<=", ExprFunction::Le, COMPARISON, 5),
    (">", ExprFunction::Gt, COMPARISON, 5),
    (">=", ExprFunction::Ge, COMPARISON, 5),
    ("|", ExprFunction::BitOr, 5, 6),
    ("^", ExprFunction::BitXor, 6, 7),
    ("&", ExprFunction::BitAnd, 7, 8),
    ("<<", ExprFunction::LShift, 8, 9),
    (">>", ExprFunction::RShift, 8, 9),
    ("+", ExprFunction::Add, 9, 10),
    ("-", ExprFunction::Sub, 9, 10),
    ("*", ExprFunction::Mul, 10, 11),
    ("/", ExprFunction::Div, 10, 11),
    ("//", ExprFunction::FloorDiv, 10, 11),
    ("%", ExprFunction::Mod, 10, 11),
    ("**", ExprFunction::Pow, 12, 11),
];

/// Token stream with one token of lookahead.
pub struct Lexer<'t> {
    text: &'t str,
    rest: &'t str,
    next: Token<'t>,
}

impl<'t> Lexer<'t> {
    /// Creates a lexer at the first token.
    pub fn new(text: &'t str) -> Result<Self, ExprError> {
        let mut tokens = Lexer { text, rest: text, next: Token::End };
        tokens.advance()?;
        Ok(tokens)
    }

    /// Returns the next token.
    pub fn peek(&self) -> Token<'t> {
        self.next
    }

    /// Returns the operator ahead, its precedence, and the precedence of its right operand.
    pub fn operator(&self) -> Option<(ExprFunction, u8, u8)> {
        let (Token::Name(sign) | Token::Sign(sign)) = self.next else { return None };
        OPERATORS.iter().find(|entry| entry.0 == sign).map(|entry| (entry.1, entry.2, entry.3))
    }

    /// Consumes the next token.
    pub fn advance(&mut self) -> Result<Token<'t>, ExprError> {
        self.rest = self.rest.trim_start();
        let (next, length) = self.cut()?;
        self.rest = self.rest.get(length..).unwrap_or("");
        Ok(std::mem::replace(&mut self.next, next))
    }

    /// Consumes the next token, which must be `token`.
    pub fn expect(&mut self, token: Token<'_>) -> Result<(), ExprError> {
        if self.next == token {
            self.advance().map(drop)
        } else {
            Err(self.error(&format!("{token} is expected, not {}", self.next)))
        }
    }

    /// Consumes a string literal.
    pub fn string(&mut self) -> Result<&'t str, ExprError> {
        match self.advance()? {
            Token::Text(content) => Ok(content),
            other => Err(self.error(&format!("a string is expected, not {other}"))),
        }
    }

    /// Returns an error at the position after the last token.
    pub fn error(&self, reason: &str) -> ExprError {
        ExprError { offset: self.text.len() - self.rest.len(), reason: reason.to_owned() }
    }

    fn cut(&self) -> Result<(Token<'t>, usize), ExprError> {
        let Some(first) = self.rest.chars().next() else { return Ok((Token::End, 0)) };
        if let Some(sign) = SIGNS.iter().find(|sign| self.rest.starts_with(**sign)) {
            return Ok((Token::Sign(sign), sign.len()));
        }
        match first {
            '\'' | '"' => self.text(first),
            '0'..='9' | '.' => self.number(),
            _ if self.rest.starts_with("L[") => Ok(self.place()),
            _ => self.word(),
        }
    }

    fn text(&self, quote: char) -> Result<(Token<'t>, usize), ExprError> {
        let inside = self.rest.get(1..).unwrap_or("");
        let end = inside.find(quote).ok_or_else(|| self.error("a string has no end"))?;
        Ok((Token::Text(inside.get(..end).unwrap_or("")), end + 2))
    }

    fn number(&self) -> Result<(Token<'t>, usize), ExprError> {
        let digits = |from: usize| {
            let rest = self.rest.get(from..).unwrap_or("");
            from + rest.bytes().take_while(u8::is_ascii_digit).count()
        };
        let whole = digits(0);
        let mut length = whole;
        if self.byte(length) == Some(b'.') {
            length = digits(length + 1);
        }
        if matches!(self.byte(length), Some(b'e' | b'E')) {
            let signed = matches!(self.byte(length + 1), Some(b'+' | b'-'));
            length = digits(length + 1 + usize::from(signed));
        }
        let word = self.rest.get(..length).unwrap_or("");
        if length == whole {
            Ok((Token::Int(word), length))
        } else {
            match word.parse() {
                Ok(value) => Ok((Token::Float(value), length)),
                Err(_) => Err(self.error("not a number")),
            }
        }
    }

    fn byte(&self, place: usize) -> Option<u8> {
        self.rest.as_bytes().get(place).copied()
    }

    /// Reads an input source such as `L['x'][0].size()[1]`: keys in brackets, attributes, and empty
    /// calls.
    fn place(&self) -> (Token<'t>, usize) {
        let mut length = 1;
        loop {
            let rest = self.rest.get(length..).unwrap_or("");
            length += match rest.as_bytes().first() {
                Some(b'[') => match rest.find(']') {
                    Some(end) => end + 1,
                    None => break,
                },
                Some(b'.') => {
                    1 + rest.bytes().skip(1).take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count()
                }
                Some(b'(') if rest.starts_with("()") => 2,
                _ => break,
            };
        }
        (Token::Place(self.rest.get(..length).unwrap_or("")), length)
    }

    fn word(&self) -> Result<(Token<'t>, usize), ExprError> {
        let rest = self.rest.strip_prefix("math.").unwrap_or(self.rest);
        let length = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        match length {
            0 => Err(self.error("this character is not expected")),
            _ => {
                let skipped = self.rest.len() - rest.len();
                Ok((Token::Name(rest.get(..length).unwrap_or("")), skipped + length))
            }
        }
    }
}
