//! Evaluates functions of Python with the arithmetic of `program::number`.

use super::PythonFunction;
use crate::program::number::EvalError::{Kind, ZeroDivision};
use crate::program::number::Number::{self, Bool, Float, Int};
use crate::program::number::{EvalError, EvalResult};
use std::cmp::Ordering;

impl PythonFunction {
    /// Returns Python's result for these arguments, or the reason why Python raises.
    pub fn apply(self, arguments: &[Number]) -> Result<Number, String> {
        self.value(arguments).map_err(|error| match error {
            Kind => format!("{self:?} does not take {arguments:?}"),
            error => error.to_string(),
        })
    }

    fn value(self, arguments: &[Number]) -> EvalResult {
        match *arguments {
            [only] => self.unary(only),
            [left, right] => self.binary(left, right),
            [condition, yes, no] if self == PythonFunction::Ite => {
                Ok(if condition.truth() { yes } else { no })
            }
            [first, ref rest @ ..] if self.folds() => {
                rest.iter().try_fold(first, |total, next| self.binary(total, *next))
            }
            _ => Err(Kind),
        }
    }

    /// Returns true if more than two arguments are combined from left to right.
    fn folds(self) -> bool {
        matches!(self, PythonFunction::Add | PythonFunction::Min | PythonFunction::Max)
    }

    fn unary(self, value: Number) -> EvalResult {
        use PythonFunction::*;
        match self {
            Neg => value.negated(),
            Abs => magnitude(value),
            Pos | Add => Ok(plain(value)),
            Min | Max => Ok(value),
            Not => Ok(Bool(!value.truth())),
            ToFloat => Ok(Float(value.float())),
            ToInt | Trunc => value.round(f64::trunc),
            Floor => value.round(f64::floor),
            Ceil => value.round(f64::ceil),
            Round => value.round(f64::round_ties_even),
            Sqrt => value.map(f64::sqrt),
            _ => Err(Kind),
        }
    }

    fn binary(self, left: Number, right: Number) -> EvalResult {
        use PythonFunction::*;
        match self {
            Add => left.plus(right),
            Sub => subtract(left, right),
            Mul => left.times(right),
            TrueDiv => left.true_div(right),
            FloorDiv => divmod(left, right).map(|(quotient, _)| quotient),
            Mod => divmod(left, right).map(|(_, rest)| rest),
            Pow => power(left, right),
            FloatPow => left.float_pow(right),
            And => bits(left, right, |left, right| left & right),
            Or => bits(left, right, |left, right| left | right),
            Xor => bits(left, right, |left, right| left ^ right),
            LeftShift | RightShift => self.shift(left.int()?, right.int()?),
            Eq | Ne | Lt | Le | Gt | Ge => Ok(Bool(self.holds(left.order(right)))),
            Min | Max | SymMin | SymMax => Ok(self.best(left, right)),
            _ => Err(Kind),
        }
    }

    /// Returns the result of a comparison. Unordered numbers, such as NaN, are unequal to each
    /// other.
    fn holds(self, order: Option<Ordering>) -> bool {
        use PythonFunction::*;
        match self {
            Eq => order == Some(Ordering::Equal),
            Ne => order != Some(Ordering::Equal),
            Lt => order == Some(Ordering::Less),
            Le => order.is_some_and(Ordering::is_le),
            Gt => order == Some(Ordering::Greater),
            _ => order.is_some_and(Ordering::is_ge),
        }
    }

    /// Returns the minimum or maximum, the first of equals.
    ///
    /// PyTorch's own functions return a float if either argument is one (`torch/__init__.py`,
    /// 2.11).
    fn best(self, left: Number, right: Number) -> Number {
        use PythonFunction::{Max, SymMax};
        let wanted = if matches!(self, Max | SymMax) { Ordering::Greater } else { Ordering::Less };
        let best = if right.order(left) == Some(wanted) { right } else { left };
        let float = matches!(left, Float(_)) || matches!(right, Float(_));
        let promotes = matches!(self, PythonFunction::SymMin | SymMax);
        if promotes && float { Float(best.float()) } else { best }
    }

    fn shift(self, value: i64, by: i64) -> EvalResult {
        if by < 0 {
            return Err(EvalError::Domain);
        }
        // A right shift of 63 or more leaves only the sign.
        if self == PythonFunction::RightShift {
            return Ok(Int(value >> by.min(63)));
        }
        match value {
            0 => Ok(Int(0)),
            value => Int(value).times(Int(2).pow(Int(by))?),
        }
    }
}

/// Returns a bool as an int, and any other number unchanged.
fn plain(value: Number) -> Number {
    if let Bool(value) = value { Int(value.into()) } else { value }
}

fn magnitude(value: Number) -> EvalResult {
    match plain(value) {
        Float(value) => Ok(Float(value.abs())),
        value if value.order(Int(0)) == Some(Ordering::Less) => value.negated(),
        value => Ok(value),
    }
}

/// Subtracts. Adding the negation would overflow for the least int where the difference does not.
fn subtract(left: Number, right: Number) -> EvalResult {
    match (plain(left), plain(right)) {
        (Int(left), Int(right)) => left.checked_sub(right).map(Int).ok_or(EvalError::Overflow),
        (left, right) => Ok(Float(left.float() - right.float())),
    }
}

/// Raises to a power. An int to a negative power is a float.
fn power(base: Number, exponent: Number) -> EvalResult {
    match (plain(base), plain(exponent)) {
        (Int(base), Int(exponent)) if exponent >= 0 => Int(base).pow(Int(exponent)),
        (base, exponent) => base.float_pow(exponent),
    }
}

/// Returns Python's `divmod`, whose remainder has the sign of the divisor.
fn divmod(left: Number, right: Number) -> EvalResult<(Number, Number)> {
    match (left, right) {
        (Float(_), _) | (_, Float(_)) => float_divmod(left.float(), right.float()),
        _ => Ok((left.floor_div(right)?, left.modulo(right)?)),
    }
}

/// Returns `divmod` of floats as CPython does (`Objects/floatobject.c`).
fn float_divmod(left: f64, right: f64) -> EvalResult<(Number, Number)> {
    if right == 0.0 {
        return Err(ZeroDivision);
    }
    let mut rest = left % right;
    let mut quotient = (left - rest) / right;
    if rest == 0.0 {
        rest = 0f64.copysign(right);
    } else if (rest < 0.0) != (right < 0.0) {
        rest += right;
        quotient -= 1.0;
    }
    let floor = quotient.floor();
    Ok((Float(if quotient - floor > 0.5 { floor + 1.0 } else { floor }), Float(rest)))
}

fn bits(left: Number, right: Number, function: fn(i64, i64) -> i64) -> EvalResult {
    let value = function(left.int()?, right.int()?);
    Ok(if let (Bool(_), Bool(_)) = (left, right) { Bool(value != 0) } else { Int(value) })
}
