//! Numbers to which expressions evaluate, with Python's arithmetic. Overflow is an error and never
//! wraps.

use std::cmp::Ordering;
use std::fmt;

use super::expr::Expr;
use super::symbol::SymbolId;

/// A value of an expression.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A whole number.
    Int(i64),
    /// A fraction in lowest terms: numerator, and denominator greater than one.
    Rational(i64, i64),
    /// A float.
    Float(f64),
    /// A Boolean value. Counts as 0 or 1 in arithmetic.
    Bool(bool),
}

/// Evaluation error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvalError {
    /// A symbol has no value.
    Unbound(SymbolId),
    /// The value does not fit 64 bits.
    Overflow,
    /// A divisor is zero.
    ZeroDivision,
    /// The function has no real value for its argument, such as the square root of a negative
    /// number.
    Domain,
    /// A whole number is required and the value is not one.
    NotInteger,
    /// A Boolean value is found instead of a number, or a number instead of a Boolean value.
    Kind,
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            EvalError::Unbound(_) => "a symbol has no value",
            EvalError::Overflow => "the value does not fit 64 bits",
            EvalError::ZeroDivision => "division by zero",
            EvalError::Domain => "the function has no value there",
            EvalError::NotInteger => "the value is not a whole number",
            EvalError::Kind => "a truth value stands where a number belongs, or the other way round",
        })
    }
}

/// Result of evaluation.
pub type EvalResult<T = Number> = Result<T, EvalError>;

impl Number {
    /// Returns a fraction in lowest terms, or an int if it is whole.
    pub fn ratio(numerator: i128, denominator: i128) -> EvalResult {
        match denominator {
            0 => return Err(EvalError::ZeroDivision),
            1 => return narrow(numerator).map(Number::Int),
            _ => {}
        }
        let divisor = gcd(numerator.unsigned_abs(), denominator.unsigned_abs()) as i128;
        let divisor = if denominator < 0 { -divisor } else { divisor };
        let (numerator, denominator) = (narrow(numerator / divisor)?, narrow(denominator / divisor)?);
        Ok(if denominator == 1 { Number::Int(numerator) } else { Number::Rational(numerator, denominator) })
    }

    /// Returns the constant expression of this value.
    pub fn into_expr(self) -> Expr {
        match self {
            Number::Int(value) => Expr::Int(value),
            Number::Rational(numerator, denominator) => Expr::Rational(numerator, denominator),
            Number::Float(value) => Expr::Float(value),
            Number::Bool(value) => Expr::Bool(value),
        }
    }

    /// Returns numerator and denominator. None for a float.
    fn exact(self) -> Option<(i128, i128)> {
        match self {
            Number::Int(value) => Some((value.into(), 1)),
            Number::Rational(numerator, denominator) => Some((numerator.into(), denominator.into())),
            Number::Bool(value) => Some((value.into(), 1)),
            Number::Float(_) => None,
        }
    }

    /// Returns the whole number, or an error if the value is not one.
    pub fn int(self) -> EvalResult<i64> {
        match self {
            Number::Int(value) => Ok(value),
            Number::Bool(value) => Ok(value.into()),
            Number::Rational(..) | Number::Float(_) => Err(EvalError::NotInteger),
        }
    }

    /// Returns the nearest float.
    pub fn float(self) -> f64 {
        match self {
            Number::Int(value) => value as f64,
            Number::Rational(numerator, denominator) => quotient(numerator, denominator),
            Number::Float(value) => value,
            Number::Bool(value) => f64::from(u8::from(value)),
        }
    }

    /// Returns true if the value holds: as in Python, a number holds unless it is zero.
    pub fn truth(self) -> bool {
        match self {
            Number::Bool(value) => value,
            Number::Int(value) => value != 0,
            Number::Rational(..) => true,
            Number::Float(value) => value != 0.0,
        }
    }

    /// Returns the sum.
    pub fn plus(self, other: Number) -> EvalResult {
        let Some(((a, b), (c, d))) = self.exact().zip(other.exact()) else {
            return Ok(Number::Float(self.float() + other.float()));
        };
        let sum = (a * d).checked_add(c * b).ok_or(EvalError::Overflow)?;
        Number::ratio(sum, b * d)
    }

    /// Returns the negation.
    pub fn negated(self) -> EvalResult {
        match self.exact() {
            Some((a, b)) => Number::ratio(-a, b),
            None => Ok(Number::Float(-self.float())),
        }
    }

    /// Returns the product.
    pub fn times(self, other: Number) -> EvalResult {
        match self.exact().zip(other.exact()) {
            Some(((a, b), (c, d))) => Number::ratio(a * c, b * d),
            None => Ok(Number::Float(self.float() * other.float())),
        }
    }

    /// Returns the exact quotient.
    pub fn over(self, other: Number) -> EvalResult {
        match self.exact().zip(other.exact()) {
            Some(((a, b), (c, d))) => Number::ratio(a * d, b * c),
            None => self.true_div(other),
        }
    }

    /// Returns the quotient of Python's `/`: a float, rounded once.
    pub fn true_div(self, other: Number) -> EvalResult {
        if other.float() == 0.0 {
            return Err(EvalError::ZeroDivision);
        }
        Ok(Number::Float(match (self, other) {
            (Number::Int(a), Number::Int(b)) => quotient(a, b),
            _ => self.float() / other.float(),
        }))
    }

    /// Returns the quotient of Python's `//`, which rounds down.
    pub fn floor_div(self, other: Number) -> EvalResult {
        let ((a, b), (c, d)) = self.exact().zip(other.exact()).ok_or(EvalError::NotInteger)?;
        floor_ratio(a * d, b * c).and_then(narrow).map(Number::Int)
    }

    /// Returns the remainder of Python's `%`, which belongs to [`floor_div`](Number::floor_div).
    pub fn modulo(self, other: Number) -> EvalResult {
        let whole = self.floor_div(other)?;
        self.plus(whole.times(other)?.negated()?)
    }

    /// Returns the power: exact for exact bases and whole exponents, otherwise a float.
    pub fn pow(self, exponent: Number) -> EvalResult {
        match (self.exact(), exponent) {
            (Some((a, b)), Number::Int(n)) if n >= 0 => Number::ratio(power(a, n)?, power(b, n)?),
            (Some((a, b)), Number::Int(n)) => {
                Number::ratio(power(b, n.saturating_neg())?, power(a, n.saturating_neg())?)
            }
            _ => self.float_pow(exponent),
        }
    }

    /// Returns the power of floats.
    pub fn float_pow(self, exponent: Number) -> EvalResult {
        let (base, exponent) = (self.float(), exponent.float());
        if base == 0.0 && exponent < 0.0 {
            return Err(EvalError::ZeroDivision);
        }
        defined(base.powf(exponent), base.is_finite() && exponent.is_finite())
    }

    /// Applies a function of floats.
    pub fn map(self, function: fn(f64) -> f64) -> EvalResult {
        let argument = self.float();
        defined(function(argument), argument.is_finite())
    }

    /// Rounds to an int. Ints are unchanged.
    pub fn round(self, rounding: fn(f64) -> f64) -> EvalResult {
        match self {
            Number::Int(value) => Ok(Number::Int(value)),
            _ => whole(rounding(self.float())).map(Number::Int),
        }
    }

    /// Rounds to a number of decimals as Python's `round` does, with ties decided by the float's
    /// exact value.
    pub fn round_decimal(self, digits: Number) -> EvalResult {
        let digits = usize::try_from(digits.int()?).map_err(|_| EvalError::Domain)?;
        // A double has at most 1074 decimals, so more do not change the result.
        let text = format!("{:.*}", digits.min(1100), self.float());
        text.parse().map(Number::Float).map_err(|_| EvalError::Domain)
    }

    /// Compares exactly, also ints with floats. Returns None for NaN.
    pub fn order(self, other: Number) -> Option<Ordering> {
        match (self, other) {
            (Number::Float(a), Number::Float(b)) => a.partial_cmp(&b),
            (a, Number::Float(b)) => a.order_float(b),
            (Number::Float(a), b) => b.order_float(a).map(Ordering::reverse),
            (a, b) => a.exact().zip(b.exact()).map(|((a, b), (c, d))| (a * d).cmp(&(c * b))),
        }
    }

    fn order_float(self, other: f64) -> Option<Ordering> {
        match self.int() {
            Ok(_) if other >= BEYOND => Some(Ordering::Less),
            Ok(_) if other < -BEYOND => Some(Ordering::Greater),
            Ok(value) if !other.is_nan() => {
                let whole = other.trunc();
                Some(value.cmp(&(whole as i64)).then(whole.partial_cmp(&other)?))
            }
            _ => self.float().partial_cmp(&other),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::Int(value) => write!(f, "{value}"),
            Number::Rational(numerator, denominator) => write!(f, "{numerator}/{denominator}"),
            Number::Float(value) => write!(f, "{value:?}"),
            Number::Bool(value) => f.write_str(if *value { "True" } else { "False" }),
        }
    }
}

/// 2^63, the smallest float above every `i64`.
const BEYOND: f64 = 9_223_372_036_854_775_808.0;

fn narrow(value: i128) -> EvalResult<i64> {
    i64::try_from(value).map_err(|_| EvalError::Overflow)
}

fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

/// Returns `a / b`, rounded down.
fn floor_ratio(a: i128, b: i128) -> EvalResult<i128> {
    if b == 0 {
        return Err(EvalError::ZeroDivision);
    }
    let down = a % b != 0 && ((a < 0) != (b < 0));
    Ok(a / b - i128::from(down))
}

fn power(base: i128, exponent: i64) -> EvalResult<i128> {
    match (base, u32::try_from(exponent)) {
        (0 | 1, _) if exponent > 0 => Ok(base),
        (-1, _) => Ok(if exponent % 2 == 0 { 1 } else { -1 }),
        (_, Ok(exponent)) => base.checked_pow(exponent).ok_or(EvalError::Overflow),
        (_, Err(_)) => Err(EvalError::Overflow),
    }
}

/// Returns the float nearest to `a / b`, even if `a` and `b` are not representable as floats.
fn quotient(a: i64, b: i64) -> f64 {
    const EXACT: u64 = 1 << 53;
    if a.unsigned_abs() <= EXACT && b.unsigned_abs() <= EXACT {
        return a as f64 / b as f64;
    }
    // The shift extends the quotient beyond 64 bits. Its last bit is sticky: it records a nonzero
    // remainder, so that the conversion rounds the exact quotient.
    let shift = u128::from(a.unsigned_abs()).leading_zeros().min(127);
    let (dividend, divisor) = (u128::from(a.unsigned_abs()) << shift, u128::from(b.unsigned_abs()));
    let bits = (dividend / divisor) | u128::from(dividend % divisor != 0);
    let magnitude = bits as f64 / (1u128 << shift) as f64;
    if (a < 0) != (b < 0) { -magnitude } else { magnitude }
}

fn whole(value: f64) -> EvalResult<i64> {
    if (-BEYOND..BEYOND).contains(&value) { Ok(value as i64) } else { Err(EvalError::Overflow) }
}

/// Returns an error where Python raises: for NaN or infinity from finite arguments.
fn defined(value: f64, ordinary: bool) -> EvalResult {
    match value {
        value if ordinary && value.is_nan() => Err(EvalError::Domain),
        value if ordinary && value.is_infinite() => Err(EvalError::Overflow),
        value => Ok(Number::Float(value)),
    }
}
