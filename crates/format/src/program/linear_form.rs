//! Linear form: solves a size that is linear in one symbol, such as `2*s0 + 1`, for the symbol.

use super::expr::Expr;
use super::expr_function::ExprFunction;
use super::symbol::SymbolId;

/// `factor * symbol + offset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinearForm {
    /// The symbol.
    pub symbol: SymbolId,
    /// The factor of the symbol; never 0.
    pub factor: i64,
    /// The constant term.
    pub offset: i64,
}

/// The symbol with its factor, if there is one, and the constant term.
type LinearParts = (Option<(SymbolId, i64)>, i64);

impl LinearForm {
    /// Returns the linear form of an expression, if it has one.
    pub fn of(expr: &Expr) -> Option<LinearForm> {
        let (term, offset) = parts(expr)?;
        let (symbol, factor) = term.filter(|(_, factor)| *factor != 0)?;
        Some(LinearForm { symbol, factor, offset })
    }

    /// Returns the symbol's value for a value of the expression, as an expression. It may be a
    /// fraction.
    pub fn inverse(&self, value: Expr) -> Expr {
        let product = Expr::Call(ExprFunction::Sub, vec![value, Expr::Int(self.offset)]);
        Expr::Call(ExprFunction::Div, vec![product, Expr::Int(self.factor)])
    }

    /// Returns the whole number for which the expression has this value, if there is one.
    pub fn solve(&self, value: i64) -> Option<i64> {
        let product = value.checked_sub(self.offset)?;
        match product.checked_rem(self.factor)? {
            0 => product.checked_div(self.factor),
            _ => None,
        }
    }
}

fn parts(expr: &Expr) -> Option<LinearParts> {
    match expr {
        Expr::Int(value) => Some((None, *value)),
        Expr::Symbol(id) => Some((Some((*id, 1)), 0)),
        Expr::Call(ExprFunction::Add, terms) => {
            terms.iter().try_fold((None, 0), |sum, term| add(sum, parts(term)?))
        }
        Expr::Call(ExprFunction::Mul, factors) => {
            factors.iter().try_fold((None, 1), |product, factor| multiply(product, parts(factor)?))
        }
        Expr::Call(ExprFunction::Identity, inner) => parts(inner.first()?),
        Expr::Call(ExprFunction::Neg, inner) => multiply((None, -1), parts(inner.first()?)?),
        Expr::Call(ExprFunction::Sub, sides) => {
            let [left, right] = sides.as_slice() else { return None };
            add(parts(left)?, multiply((None, -1), parts(right)?)?)
        }
        _ => None,
    }
}

fn add(a: LinearParts, b: LinearParts) -> Option<LinearParts> {
    let term = match (a.0, b.0) {
        (Some((one, factor)), Some((other, more))) if one == other => Some((one, factor.checked_add(more)?)),
        (Some(_), Some(_)) => return None,
        (term, None) | (None, term) => term,
    };
    Some((term, a.1.checked_add(b.1)?))
}

fn multiply(a: LinearParts, b: LinearParts) -> Option<LinearParts> {
    let ((term, offset), number) = match (a, b) {
        (linear, (None, number)) | ((None, number), linear) => (linear, number),
        _ => return None,
    };
    let term = match term {
        Some((symbol, factor)) => Some((symbol, factor.checked_mul(number)?)),
        None => None,
    };
    Some((term, offset.checked_mul(number)?))
}
