//! Evaluates expressions with Python's rounding and checked arithmetic. Allocates only to sort
//! strides.

use std::cmp::Ordering;

use super::expr::Expr;
use super::expr_function::ExprFunction;
use super::number::{EvalError, EvalResult, Number};

impl Expr {
    /// Returns the value. `bindings` holds the values of the symbols by number.
    pub fn eval(&self, bindings: &[Option<i64>]) -> EvalResult {
        match self {
            Expr::Int(value) => Ok(Number::Int(*value)),
            Expr::Rational(numerator, denominator) => Ok(Number::Rational(*numerator, *denominator)),
            Expr::Float(value) => Ok(Number::Float(*value)),
            Expr::Bool(value) => Ok(Number::Bool(*value)),
            Expr::Symbol(id) => {
                let bound = bindings.get(id.index()).copied().flatten();
                bound.map(Number::Int).ok_or(EvalError::Unbound(*id))
            }
            Expr::Call(function, arguments) => ExprArguments { list: arguments, bindings }.call(*function),
            Expr::Chain(first, rest) => chain(first, rest, bindings),
        }
    }

    /// Returns the value, or an error if it is not a whole number.
    pub fn eval_int(&self, bindings: &[Option<i64>]) -> EvalResult<i64> {
        self.eval(bindings)?.int()
    }

    /// Returns true if the expression holds.
    pub fn eval_bool(&self, bindings: &[Option<i64>]) -> EvalResult<bool> {
        self.eval(bindings).map(Number::truth)
    }
}

struct ExprArguments<'a> {
    list: &'a [Expr],
    bindings: &'a [Option<i64>],
}

impl ExprArguments<'_> {
    fn call(&self, function: ExprFunction) -> EvalResult {
        use ExprFunction::*;
        match function {
            Add => self.fold(Number::Int(0), Number::plus),
            Mul => self.fold(Number::Int(1), Number::times),
            Min => self.best(Ordering::Less),
            Max => self.best(Ordering::Greater),
            And => self.all(true),
            Or => self.all(false),
            Where => self.choose(),
            Piecewise => self.first_case(),
            Dense => self.dense(),
            Case => Err(EvalError::Kind),
            ModularIndexing => self.at(0)?.floor_div(self.at(1)?)?.modulo(self.at(2)?),
            Eq | Ne | Lt | Le | Gt | Ge => self.compare(function),
            _ if self.list.len() == 1 => unary(function, self.at(0)?),
            _ => binary(function, self.at(0)?, self.at(1)?),
        }
    }

    fn at(&self, place: usize) -> EvalResult {
        self.list.get(place).ok_or(EvalError::Kind)?.eval(self.bindings)
    }

    fn fold(&self, start: Number, step: fn(Number, Number) -> EvalResult) -> EvalResult {
        self.list.iter().try_fold(start, |sum, item| step(sum, item.eval(self.bindings)?))
    }

    fn best(&self, better: Ordering) -> EvalResult {
        let mut best = self.at(0)?;
        for item in self.list.iter().skip(1) {
            let item = item.eval(self.bindings)?;
            best = if item.order(best).ok_or(EvalError::Domain)? == better { item } else { best };
        }
        Ok(best)
    }

    /// Returns true if all arguments hold, or with `expected` false, if one holds. Stops at the
    /// first argument that decides.
    fn all(&self, expected: bool) -> EvalResult {
        for item in self.list {
            if item.eval_bool(self.bindings)? != expected {
                return Ok(Number::Bool(!expected));
            }
        }
        Ok(Number::Bool(expected))
    }

    fn choose(&self) -> EvalResult {
        self.at(if self.at(0)?.truth() { 1 } else { 2 })
    }

    fn first_case(&self) -> EvalResult {
        for case in self.list {
            let Expr::Call(ExprFunction::Case, pair) = case else { return Err(EvalError::Kind) };
            let pair = ExprArguments { list: pair, bindings: self.bindings };
            if pair.at(1)?.truth() {
                return pair.at(0);
            }
        }
        Err(EvalError::Domain)
    }

    fn compare(&self, function: ExprFunction) -> EvalResult {
        Ok(Number::Bool(compare(function, self.at(0)?, self.at(1)?)))
    }

    /// Evaluates `eval_is_non_overlapping_and_dense` as in
    /// `torch/fx/experimental/symbolic_shapes.py` 2.11.
    fn dense(&self) -> EvalResult {
        let (sizes, strides) = self.list.split_at_checked(self.list.len() / 2).ok_or(EvalError::Kind)?;
        let mut pairs = Vec::with_capacity(sizes.len());
        for (size, stride) in sizes.iter().zip(strides) {
            pairs.push((stride.eval_int(self.bindings)?, size.eval_int(self.bindings)?));
        }
        if let [(_, ..=1)] = pairs.as_slice() {
            return Ok(Number::Int(1));
        }
        pairs.retain(|pair| pair.1 != 1);
        pairs.sort_unstable();
        let mut expected = Some(1i64);
        for (stride, size) in pairs {
            if expected != Some(stride) {
                return Ok(Number::Int(0));
            }
            expected = stride.checked_mul(size);
        }
        Ok(Number::Int(1))
    }
}

/// Returns true if a comparison holds.
fn compare(function: ExprFunction, left: Number, right: Number) -> bool {
    let order = left.order(right);
    match function {
        ExprFunction::Eq => order == Some(Ordering::Equal),
        ExprFunction::Ne => order != Some(Ordering::Equal),
        ExprFunction::Lt => order == Some(Ordering::Less),
        ExprFunction::Le => order.is_some_and(Ordering::is_le),
        ExprFunction::Gt => order == Some(Ordering::Greater),
        _ => order.is_some_and(Ordering::is_ge),
    }
}

/// Returns true if all comparisons of a chain hold. As in Python, each operand is evaluated once,
/// and none after a comparison that fails.
fn chain(first: &Expr, rest: &[(ExprFunction, Expr)], bindings: &[Option<i64>]) -> EvalResult {
    let mut left = first.eval(bindings)?;
    for (function, right) in rest {
        let right = right.eval(bindings)?;
        if !compare(*function, left, right) {
            return Ok(Number::Bool(false));
        }
        left = right;
    }
    Ok(Number::Bool(true))
}

fn unary(function: ExprFunction, value: Number) -> EvalResult {
    use ExprFunction::*;
    match function {
        Neg => value.negated(),
        Identity => Ok(value),
        Not => Ok(Number::Bool(!value.truth())),
        Abs if value.order(Number::Int(0)) == Some(Ordering::Less) => value.negated(),
        Abs => Ok(value),
        ToFloat => Ok(Number::Float(value.float())),
        TruncToInt => value.round(f64::trunc),
        TruncToFloat => Ok(Number::Float(value.float().trunc())),
        CeilToInt => value.round(f64::ceil),
        FloorToInt => value.round(f64::floor),
        RoundToInt => value.round(f64::round_ties_even),
        other => value.map(float_function(other).ok_or(EvalError::Kind)?),
    }
}

fn float_function(function: ExprFunction) -> Option<fn(f64) -> f64> {
    use ExprFunction::*;
    Some(match function {
        Sqrt => f64::sqrt,
        Cos => f64::cos,
        Cosh => f64::cosh,
        Sin => f64::sin,
        Sinh => f64::sinh,
        Tan => f64::tan,
        Tanh => f64::tanh,
        Asin => f64::asin,
        Acos => f64::acos,
        Atan => f64::atan,
        Asinh => f64::asinh,
        Exp => f64::exp,
        Log => f64::ln,
        Log2 => f64::log2,
        _ => return None,
    })
}

fn binary(function: ExprFunction, a: Number, b: Number) -> EvalResult {
    use ExprFunction::*;
    match function {
        Sub => a.plus(b.negated()?),
        Div => a.over(b),
        IntTrueDiv | FloatTrueDiv => a.true_div(b),
        FloorDiv => a.floor_div(b),
        CeilDiv => a.negated()?.floor_div(b)?.negated(),
        Mod => a.modulo(b),
        Pow => a.pow(b),
        PowByNatural if b.int()? < 0 => Err(EvalError::Domain),
        PowByNatural => Number::Int(a.int()?).pow(b),
        FloatPow => a.float_pow(b),
        LShift => a.times(two_to(b)?),
        RShift => a.floor_div(two_to(b)?),
        RoundDecimal => a.round_decimal(b),
        BitAnd => bits(a, b, |a, b| a & b),
        BitOr => bits(a, b, |a, b| a | b),
        BitXor => bits(a, b, |a, b| a ^ b),
        _ => Err(EvalError::Kind),
    }
}

fn two_to(shift: Number) -> EvalResult {
    match shift.int()? {
        shift if shift < 0 => Err(EvalError::Domain),
        shift => Number::Int(2).pow(Number::Int(shift)),
    }
}

fn bits(a: Number, b: Number, function: fn(i64, i64) -> i64) -> EvalResult {
    let value = function(a.int()?, b.int()?);
    Ok(match (a, b) {
        (Number::Bool(_), Number::Bool(_)) => Number::Bool(value != 0),
        _ => Number::Int(value),
    })
}
