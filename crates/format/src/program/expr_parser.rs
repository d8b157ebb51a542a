//! Parses expressions from text.
//!
//! One grammar, that of Python expressions, covers three notations: sympy's `srepr`
//! (`Mul(Integer(2), Symbol('s77', positive=True))`), sympy's `str` (`2*s77`, the keys of
//! `range_constraints`), and Python (`guards_code`). Precedence follows the Python 3 reference,
//! section 6.17.

use std::fmt;

use super::expr::Expr;
use super::expr_function::ExprFunction;
use super::expr_lexer::{Lexer, Token};
use super::symbol::Symbols;

/// Maximum depth of an expression.
pub const MAX_DEPTH: usize = 64;

/// Maximum length of the text in bytes.
pub const MAX_LENGTH: usize = 1 << 20;

/// Syntax error in an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExprError {
    /// The position in bytes from the start of the text.
    pub offset: usize,
    /// The defect at that position.
    pub reason: String,
}

impl fmt::Display for ExprError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {} of the expression", self.reason, self.offset)
    }
}

/// Resolves an input source in the text, such as `L['x'].size()[0]`, to its expression.
pub type SourceLookup<'a> = &'a dyn Fn(&str) -> Option<Expr>;

impl Expr {
    /// Parses an expression. Unknown symbols are added to `symbols`.
    pub fn parse(text: &str, symbols: &mut Symbols) -> Result<Expr, ExprError> {
        Expr::parse_with(text, symbols, &|_| None)
    }

    /// Parses an expression that may name input sources.
    pub fn parse_with(text: &str, symbols: &mut Symbols, places: SourceLookup) -> Result<Expr, ExprError> {
        if text.len() > MAX_LENGTH {
            return Err(ExprError { offset: MAX_LENGTH, reason: "the text is too long".into() });
        }
        let mut parser = ExprParser { tokens: Lexer::new(text)?, symbols, places, open: 0 };
        let (expr, _) = parser.binary(0)?;
        parser.tokens.expect(Token::End)?;
        Ok(expr)
    }
}

/// An expression and its depth.
type Deep = (Expr, usize);

struct ExprParser<'t, 's> {
    tokens: Lexer<'t>,
    symbols: &'s mut Symbols,
    places: SourceLookup<'s>,
    /// The number of calls of `binary` on the stack.
    open: usize,
}

impl<'t> ExprParser<'t, '_> {
    /// Parses operators whose precedence is at least `least`.
    fn binary(&mut self, least: u8) -> Result<Deep, ExprError> {
        self.open += 1;
        if self.open > MAX_DEPTH {
            return Err(self.tokens.error("the expression nests too deep"));
        }
        let mut left = self.unary()?;
        while let Some((function, level, next)) = self.tokens.operator() {
            if level < least {
                break;
            }
            self.tokens.advance()?;
            let right = self.binary(next)?;
            left = match level {
                COMPARISON => self.comparison(function, left, right)?,
                _ => self.join(function, left, right)?,
            };
        }
        self.open -= 1;
        Ok(left)
    }

    /// Parses `a < b < c` as `a < b and b < c` if the operands in between are symbols or numbers.
    /// Other operands are not copied: nested comparisons would double the expression at each level.
    fn comparison(&mut self, function: ExprFunction, left: Deep, right: Deep) -> Result<Deep, ExprError> {
        let mut operands = vec![(function, right)];
        while let Some((next, COMPARISON, tighter)) = self.tokens.operator() {
            self.tokens.advance()?;
            operands.push((next, self.binary(tighter)?));
        }
        if operands.iter().rev().skip(1).all(|(_, operand)| is_atom(&operand.0)) {
            self.conjunction(left, operands)
        } else {
            self.chain(left, operands)
        }
    }

    fn conjunction(&self, mut left: Deep, operands: Vec<(ExprFunction, Deep)>) -> Result<Deep, ExprError> {
        let mut all: Option<Deep> = None;
        for (function, right) in operands {
            let one = self.node(function, vec![left, right.clone()])?;
            all = Some(match all {
                Some(all) => self.join(ExprFunction::And, all, one)?,
                None => one,
            });
            left = right;
        }
        all.ok_or_else(|| self.tokens.error("a comparison is expected"))
    }

    fn chain(&self, left: Deep, operands: Vec<(ExprFunction, Deep)>) -> Result<Deep, ExprError> {
        let depth = operands.iter().map(|(_, operand)| operand.1).fold(left.1, usize::max) + 1;
        let rest = operands.into_iter().map(|(function, operand)| (function, operand.0)).collect();
        self.checked(Expr::Chain(Box::new(left.0), rest), depth)
    }

    /// Joins operands into a call. Long sums stay flat: `a + b + c` is one call.
    fn join(&self, function: ExprFunction, left: Deep, right: Deep) -> Result<Deep, ExprError> {
        let flat =
            matches!(function, ExprFunction::Add | ExprFunction::Mul | ExprFunction::And | ExprFunction::Or);
        match left {
            (Expr::Call(same, mut items), depth) if flat && same == function => {
                items.push(right.0);
                self.checked(Expr::Call(function, items), depth.max(right.1 + 1))
            }
            left => self.node(function, vec![left, right]),
        }
    }

    fn unary(&mut self) -> Result<Deep, ExprError> {
        let (function, level) = match self.tokens.peek() {
            Token::Sign("-") => (ExprFunction::Neg, UNARY),
            Token::Sign("+") => (ExprFunction::Identity, UNARY),
            Token::Sign("~") | Token::Name("not") => (ExprFunction::Not, NOT),
            _ => return self.primary(),
        };
        self.tokens.advance()?;
        match (function, self.binary(level)?) {
            (ExprFunction::Neg, (Expr::Int(value), depth)) if value != i64::MIN => {
                Ok((Expr::Int(-value), depth))
            }
            (ExprFunction::Neg, (Expr::Float(value), depth)) => Ok((Expr::Float(-value), depth)),
            (ExprFunction::Identity, operand) => Ok(operand),
            (function, operand) => self.node(function, vec![operand]),
        }
    }

    fn primary(&mut self) -> Result<Deep, ExprError> {
        let token = self.tokens.advance()?;
        let expr = match token {
            Token::Sign("(") => return self.group(),
            Token::Int(digits) => self.int(digits, false)?,
            Token::Float(value) => Expr::Float(value),
            Token::Place(place) => self.place(place)?,
            Token::Name(name) if self.tokens.peek() == Token::Sign("(") => return self.call(name),
            Token::Name(name) => self.name(name),
            other => return Err(self.tokens.error(&format!("{other} is not expected"))),
        };
        Ok((expr, 1))
    }

    fn group(&mut self) -> Result<Deep, ExprError> {
        let inner = self.binary(0)?;
        if self.tokens.peek() != Token::Sign(",") {
            self.tokens.expect(Token::Sign(")"))?;
            return Ok(inner);
        }
        self.tokens.advance()?;
        let condition = self.binary(0)?;
        self.tokens.expect(Token::Sign(")"))?;
        self.node(ExprFunction::Case, vec![inner, condition])
    }

    fn name(&mut self, name: &'t str) -> Expr {
        match name {
            "true" | "True" => Expr::Bool(true),
            "false" | "False" => Expr::Bool(false),
            "oo" | "int_oo" => Expr::Float(f64::INFINITY),
            symbol => Expr::Symbol(self.symbols.intern(symbol)),
        }
    }

    fn place(&self, place: &str) -> Result<Expr, ExprError> {
        (self.places)(place).ok_or_else(|| self.tokens.error(&format!("unknown place `{place}`")))
    }

    fn call(&mut self, name: &'t str) -> Result<Deep, ExprError> {
        self.tokens.expect(Token::Sign("("))?;
        let atom = match name {
            "Symbol" => {
                let symbol = self.tokens.string()?;
                Expr::Symbol(self.symbols.intern(symbol))
            }
            "Integer" => self.signed()?,
            "Float" => self.float()?,
            "Rational" => self.rational()?,
            function => return self.function(function),
        };
        self.assumptions()?;
        Ok((atom, 1))
    }

    fn function(&mut self, name: &str) -> Result<Deep, ExprError> {
        let mut arguments = Vec::new();
        while self.tokens.peek() != Token::Sign(")") {
            arguments.push(self.binary(0)?);
            if self.tokens.peek() != Token::Sign(")") {
                self.tokens.expect(Token::Sign(","))?;
            }
        }
        self.tokens.expect(Token::Sign(")"))?;
        match ExprFunction::find(name, arguments.len()) {
            Some((function, true)) => self.node(function, arguments),
            Some((_, false)) => {
                Err(self.tokens.error(&format!("`{name}` does not take {} arguments", arguments.len())))
            }
            None => Err(self.tokens.error(&format!("unknown function `{name}`"))),
        }
    }

    /// Skips sympy's assumptions about an atom, such as `positive=True`, which do not affect its
    /// value.
    fn assumptions(&mut self) -> Result<(), ExprError> {
        while self.tokens.peek() == Token::Sign(",") {
            self.tokens.advance()?;
            self.tokens.advance()?;
            self.tokens.expect(Token::Sign("="))?;
            self.tokens.advance()?;
        }
        self.tokens.expect(Token::Sign(")"))
    }

    fn signed(&mut self) -> Result<Expr, ExprError> {
        let negative = self.tokens.peek() == Token::Sign("-");
        if negative {
            self.tokens.advance()?;
        }
        match self.tokens.advance()? {
            Token::Int(digits) => self.int(digits, negative),
            other => Err(self.tokens.error(&format!("an int is expected, not {other}"))),
        }
    }

    /// Parses an int, which in Python is unbounded. An int beyond 64 bits becomes the nearest
    /// float, which compares with 64-bit ints as the int itself would. A size that needs its exact
    /// value is an error of the call.
    fn int(&self, digits: &str, negative: bool) -> Result<Expr, ExprError> {
        let magnitude = digits.parse::<i128>().ok().map(|value| if negative { -value } else { value });
        if let Some(value) = magnitude.and_then(|value| i64::try_from(value).ok()) {
            return Ok(Expr::Int(value));
        }
        let value: f64 = digits.parse().map_err(|_| self.tokens.error("an int is expected"))?;
        Ok(Expr::Float(if negative { -value } else { value }))
    }

    fn float(&mut self) -> Result<Expr, ExprError> {
        let text = self.tokens.string()?;
        let value = text.parse().map_err(|_| self.tokens.error(&format!("`{text}` is not a float")))?;
        Ok(Expr::Float(value))
    }

    fn rational(&mut self) -> Result<Expr, ExprError> {
        let numerator = self.signed()?;
        self.tokens.expect(Token::Sign(","))?;
        match (numerator, self.signed()?) {
            (Expr::Int(numerator), Expr::Int(denominator)) => {
                let quotient = super::number::Number::ratio(numerator.into(), denominator.into());
                quotient.map(super::number::Number::into_expr).map_err(|e| self.tokens.error(&e.to_string()))
            }
            (numerator, denominator) => match (numerator.as_float(), denominator.as_float()) {
                (_, Some(0.0)) | (None, _) | (_, None) => Err(self.tokens.error("ints are expected")),
                (Some(numerator), Some(denominator)) => Ok(Expr::Float(numerator / denominator)),
            },
        }
    }

    fn node(&self, function: ExprFunction, arguments: Vec<Deep>) -> Result<Deep, ExprError> {
        let depth = arguments.iter().map(|argument| argument.1).max().unwrap_or(0) + 1;
        self.checked(Expr::Call(function, arguments.into_iter().map(|argument| argument.0).collect()), depth)
    }

    fn checked(&self, expr: Expr, depth: usize) -> Result<Deep, ExprError> {
        if depth > MAX_DEPTH {
            Err(self.tokens.error("the expression nests too deep"))
        } else {
            Ok((expr, depth))
        }
    }
}

/// Returns true if copying the expression costs no more than referring to it.
fn is_atom(expr: &Expr) -> bool {
    !matches!(expr, Expr::Call(..) | Expr::Chain(..))
}

/// Precedence of comparisons.
pub const COMPARISON: u8 = 4;
/// Precedence of `not`.
pub const NOT: u8 = 3;
/// Precedence of a sign: below a power, above a product.
pub const UNARY: u8 = 11;
