//! Symbolic expressions: their structure and their display. [`Expr::parse`] builds them from text,
//! and [`Expr::eval`] evaluates them.

use std::fmt;

use super::expr_function::ExprFunction;
use super::symbol::{SymbolId, Symbols};

/// A symbolic expression. Its depth is at most [`MAX_DEPTH`](super::expr_parser::MAX_DEPTH), so
/// recursive walks are safe.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// A whole number.
    Int(i64),
    /// A fraction in lowest terms: numerator, and denominator greater than one.
    Rational(i64, i64),
    /// A float.
    Float(f64),
    /// A Boolean value.
    Bool(bool),
    /// A symbol.
    Symbol(SymbolId),
    /// A function of other expressions.
    Call(ExprFunction, Vec<Expr>),
    /// Chained comparisons, such as `a < b <= c`: the first operand, then each comparison with its
    /// right operand. Each operand is stored once, so a chain is no larger than its text.
    Chain(Box<Expr>, Vec<(ExprFunction, Expr)>),
}

impl Expr {
    /// Returns the symbol, if the expression is a single symbol.
    pub fn as_symbol(&self) -> Option<SymbolId> {
        match self {
            Expr::Symbol(id) => Some(*id),
            _ => None,
        }
    }

    /// Returns the nearest float, if the expression is a whole number or a float.
    pub(super) fn as_float(&self) -> Option<f64> {
        match self {
            Expr::Int(value) => Some(*value as f64),
            Expr::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// Calls `found` for every occurrence of a symbol.
    pub fn each_symbol(&self, found: &mut impl FnMut(SymbolId)) {
        match self {
            Expr::Symbol(id) => found(*id),
            _ => self.each_operand(&mut |operand| operand.each_symbol(found)),
        }
    }

    /// Calls `found` for every operand of a call or a chain.
    fn each_operand(&self, found: &mut dyn FnMut(&Expr)) {
        match self {
            Expr::Call(_, operands) => operands.iter().for_each(found),
            Expr::Chain(first, rest) => {
                found(first);
                rest.iter().for_each(|(_, operand)| found(operand));
            }
            _ => {}
        }
    }

    /// Displays the expression in infix notation, such as `2*s77`.
    pub fn display<'a>(&'a self, symbols: &'a Symbols) -> impl fmt::Display + 'a {
        Shown { expr: self, symbols, inside: Level::Any }
    }
}

/// Precedence of the surrounding operator. An expression of lower precedence needs parentheses.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Level {
    Any,
    Logic,
    Compare,
    Sum,
    Product,
    Power,
}

struct Shown<'a> {
    expr: &'a Expr,
    symbols: &'a Symbols,
    inside: Level,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.expr {
            Expr::Int(value) if *value < 0 && self.inside > Level::Sum => write!(f, "({value})"),
            Expr::Int(value) => write!(f, "{value}"),
            Expr::Rational(numerator, denominator) => write!(f, "({numerator}/{denominator})"),
            Expr::Float(value) => write!(f, "{value:?}"),
            Expr::Bool(value) => f.write_str(if *value { "True" } else { "False" }),
            Expr::Symbol(id) => f.write_str(self.symbols.name(*id)),
            Expr::Call(function, arguments) => self.call(f, *function, arguments),
            Expr::Chain(first, rest) => self.chain(f, first, rest),
        }
    }
}

impl Shown<'_> {
    fn call(&self, f: &mut fmt::Formatter<'_>, function: ExprFunction, arguments: &[Expr]) -> fmt::Result {
        let Some((sign, level)) = infix(function).filter(|_| arguments.len() > 1) else {
            write!(f, "{}(", function.name())?;
            self.list(f, ", ", Level::Any, arguments)?;
            return f.write_str(")");
        };
        let enclosed = self.inside > level || (self.inside == level && function != ExprFunction::Add);
        f.write_str(if enclosed { "(" } else { "" })?;
        self.list(f, sign, level, arguments)?;
        f.write_str(if enclosed { ")" } else { "" })
    }

    fn chain(&self, f: &mut fmt::Formatter<'_>, first: &Expr, rest: &[(ExprFunction, Expr)]) -> fmt::Result {
        let enclosed = self.inside >= Level::Compare;
        let operand = |expr| Shown { expr, symbols: self.symbols, inside: Level::Compare };
        f.write_str(if enclosed { "(" } else { "" })?;
        write!(f, "{}", operand(first))?;
        for (function, expr) in rest {
            let sign = infix(*function).map_or(" ? ", |(sign, _)| sign);
            write!(f, "{sign}{}", operand(expr))?;
        }
        f.write_str(if enclosed { ")" } else { "" })
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, sign: &str, inside: Level, items: &[Expr]) -> fmt::Result {
        let mut inside = inside;
        for (place, expr) in items.iter().enumerate() {
            let item = Shown { expr, symbols: self.symbols, inside }.to_string();
            match item.strip_prefix('-').filter(|_| place > 0 && sign == " + ") {
                Some(magnitude) => write!(f, " - {magnitude}")?,
                None => write!(f, "{}{item}", if place == 0 { "" } else { sign })?,
            }
            // Only the first operand of a difference may be a sum without parentheses.
            inside = if sign == " - " { Level::Product } else { inside };
        }
        Ok(())
    }
}

fn infix(function: ExprFunction) -> Option<(&'static str, Level)> {
    Some(match function {
        ExprFunction::Or => (" or ", Level::Logic),
        ExprFunction::And => (" and ", Level::Logic),
        ExprFunction::Eq => (" == ", Level::Compare),
        ExprFunction::Ne => (" != ", Level::Compare),
        ExprFunction::Lt => (" < ", Level::Compare),
        ExprFunction::Le => (" <= ", Level::Compare),
        ExprFunction::Gt => (" > ", Level::Compare),
        ExprFunction::Ge => (" >= ", Level::Compare),
        ExprFunction::Add => (" + ", Level::Sum),
        ExprFunction::Sub => (" - ", Level::Sum),
        ExprFunction::Mul => ("*", Level::Product),
        ExprFunction::FloorDiv => ("//", Level::Product),
        ExprFunction::Mod => ("%", Level::Product),
        ExprFunction::Div | ExprFunction::IntTrueDiv | ExprFunction::FloatTrueDiv => ("/", Level::Product),
        ExprFunction::Pow | ExprFunction::PowByNatural | ExprFunction::FloatPow => ("**", Level::Power),
        _ => return None,
    })
}
