//! Python's functions on sizes and other numbers, decided once and computed as Python does.

use super::Number;
use Number::{Bool, Float, Int};

/// A function of Python that saved programs call on numbers: `_operator.*`, `math.*`, `torch.sym_*` and
/// builtins (`torch/_export/serde/serialize.py`, 2.11, `_SYM_OPS`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the Python function of the same name")]
pub enum PythonFunction {
    Add,
    Sub,
    Mul,
    TrueDiv,
    FloorDiv,
    Mod,
    Pow,
    Neg,
    Pos,
    Abs,
    And,
    Or,
    Xor,
    Not,
    LeftShift,
    RightShift,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Min,
    Max,
    Ite,
    ToInt,
    ToFloat,
    Trunc,
    Floor,
    Ceil,
    Round,
    Sqrt,
}

/// The names under which a saved program calls each function.
const NAMES: [(&str, PythonFunction); 43] = {
    use PythonFunction::*;
    [
        ("_operator.add", Add),
        ("_operator.sub", Sub),
        ("_operator.mul", Mul),
        ("_operator.truediv", TrueDiv),
        ("_operator.floordiv", FloorDiv),
        ("_operator.mod", Mod),
        ("_operator.pow", Pow),
        ("_operator.neg", Neg),
        ("_operator.pos", Pos),
        ("_operator.abs", Abs),
        ("_operator.and_", And),
        ("_operator.or_", Or),
        ("_operator.xor", Xor),
        ("_operator.not_", Not),
        ("_operator.lshift", LeftShift),
        ("_operator.rshift", RightShift),
        ("_operator.eq", Eq),
        ("_operator.ne", Ne),
        ("_operator.lt", Lt),
        ("_operator.le", Le),
        ("_operator.gt", Gt),
        ("_operator.ge", Ge),
        ("math.trunc", Trunc),
        ("math.floor", Floor),
        ("math.ceil", Ceil),
        ("math.sqrt", Sqrt),
        ("math.pow", Pow),
        ("builtins.abs", Abs),
        ("builtins.min", Min),
        ("builtins.max", Max),
        ("builtins.pow", Pow),
        ("builtins.round", Round),
        ("builtins.int", ToInt),
        ("builtins.float", ToFloat),
        ("torch.sym_min", Min),
        ("torch.sym_max", Max),
        ("torch.sym_int", ToInt),
        ("torch.sym_float", ToFloat),
        ("torch.sym_ite", Ite),
        ("torch.sym_not", Not),
        ("torch.sym_sqrt", Sqrt),
        ("torch._sym_sqrt", Sqrt),
        ("torch.sym_sum", Add),
    ]
};

impl PythonFunction {
    /// The function behind a target, if a plan can compute it.
    pub fn named(target: &str) -> Option<PythonFunction> {
        NAMES.iter().find(|(name, _)| *name == target).map(|(_, function)| *function)
    }

    /// What Python gives for these arguments, or why it raises.
    pub fn apply(self, arguments: &[Number]) -> Result<Number, String> {
        match *arguments {
            [only] => self.unary(only),
            [left, right] => self.binary(left, right),
            [condition, yes, no] if self == PythonFunction::Ite => {
                Ok(if condition.is_true() { yes } else { no })
            }
            [first, ref rest @ ..] if self.folds() => {
                rest.iter().try_fold(first, |total, next| self.binary(total, *next))
            }
            _ => Err(format!("{self:?} does not take {} arguments", arguments.len())),
        }
    }

    /// Whether more than two arguments are taken one after the other.
    fn folds(self) -> bool {
        matches!(self, PythonFunction::Add | PythonFunction::Min | PythonFunction::Max)
    }

    fn unary(self, value: Number) -> Result<Number, String> {
        use PythonFunction::*;
        Ok(match self {
            Neg => match value.as_int() {
                Some(int) => Int(int.checked_neg().ok_or_else(overflow)?),
                None => Float(-value.as_float()),
            },
            Abs => match value.as_int() {
                Some(int) => Int(int.checked_abs().ok_or_else(overflow)?),
                None => Float(value.as_float().abs()),
            },
            Pos | Add | Min | Max => value,
            Not => Bool(!value.is_true()),
            ToFloat => Float(value.as_float()),
            ToInt | Trunc => to_int(value, f64::trunc)?,
            Floor => to_int(value, f64::floor)?,
            Ceil => to_int(value, f64::ceil)?,
            Round => to_int(value, f64::round_ties_even)?,
            Sqrt if value.as_float() < 0.0 => return Err("math domain error".into()),
            Sqrt => Float(value.as_float().sqrt()),
            _ => return Err(format!("{self:?} does not take one argument")),
        })
    }

    fn binary(self, left: Number, right: Number) -> Result<Number, String> {
        use PythonFunction::*;
        match self {
            Eq | Ne | Lt | Le | Gt | Ge => Ok(Bool(self.compares(left, right))),
            Min => Ok(if PythonFunction::Lt.compares(right, left) { right } else { left }),
            Max => Ok(if PythonFunction::Gt.compares(right, left) { right } else { left }),
            TrueDiv => divide(left.as_float(), right.as_float()),
            _ => match (left, right) {
                (Bool(left), Bool(right)) if matches!(self, And | Or | Xor) => {
                    Ok(Bool(self.logic(left, right)))
                }
                _ => match (left.as_int(), right.as_int()) {
                    (Some(left), Some(right)) => self.integers(left, right),
                    _ => self.floats(left.as_float(), right.as_float()),
                },
            },
        }
    }

    fn compares(self, left: Number, right: Number) -> bool {
        use PythonFunction::*;
        let order = match (left.as_int(), right.as_int()) {
            (Some(left), Some(right)) => Some(left.cmp(&right)),
            _ => left.as_float().partial_cmp(&right.as_float()),
        };
        match self {
            Eq => order.is_some_and(|order| order.is_eq()),
            Ne => order.is_none_or(|order| order.is_ne()),
            Lt => order.is_some_and(|order| order.is_lt()),
            Le => order.is_some_and(|order| order.is_le()),
            Gt => order.is_some_and(|order| order.is_gt()),
            _ => order.is_some_and(|order| order.is_ge()),
        }
    }

    fn logic(self, left: bool, right: bool) -> bool {
        match self {
            PythonFunction::And => left && right,
            PythonFunction::Or => left || right,
            _ => left != right,
        }
    }

    fn integers(self, left: i64, right: i64) -> Result<Number, String> {
        use PythonFunction::*;
        let result = match self {
            Add => left.checked_add(right),
            Sub => left.checked_sub(right),
            Mul => left.checked_mul(right),
            FloorDiv | Mod if right == 0 => return Err("division by zero".into()),
            FloorDiv => floor_divide(left, right),
            Mod => floor_divide(left, right).and_then(|q| left.checked_sub(q.checked_mul(right)?)),
            Pow if right < 0 => return power(left as f64, right as f64),
            Pow => u32::try_from(right).ok().and_then(|right| left.checked_pow(right)),
            And => Some(left & right),
            Or => Some(left | right),
            Xor => Some(left ^ right),
            LeftShift | RightShift if right < 0 => return Err("negative shift count".into()),
            LeftShift => shift_left(left, right),
            RightShift => Some(left >> right.min(63)),
            _ => return Err(format!("{self:?} does not take two ints")),
        };
        result.map(Int).ok_or_else(overflow)
    }

    fn floats(self, left: f64, right: f64) -> Result<Number, String> {
        use PythonFunction::*;
        Ok(Float(match self {
            Add => left + right,
            Sub => left - right,
            Mul => left * right,
            FloorDiv | Mod if right == 0.0 => return Err("float division by zero".into()),
            FloorDiv => float_divmod(left, right).0,
            Mod => float_divmod(left, right).1,
            Pow => return power(left, right),
            _ => return Err(format!("{self:?} does not take floats")),
        }))
    }
}

fn overflow() -> String {
    "the result does not fit 64 bits".into()
}

/// Rounds towards minus infinity, as Python's `//` does.
fn floor_divide(left: i64, right: i64) -> Option<i64> {
    let quotient = left.checked_div(right)?;
    let inexact = left.checked_rem(right)? != 0;
    Some(if inexact && (left < 0) != (right < 0) { quotient - 1 } else { quotient })
}

/// Python's `divmod` on floats (CPython, `Objects/floatobject.c`): the rest has the divisor's sign.
fn float_divmod(left: f64, right: f64) -> (f64, f64) {
    let mut rest = left % right;
    let mut quotient = (left - rest) / right;
    if rest == 0.0 {
        rest = 0f64.copysign(right);
    } else if (rest < 0.0) != (right < 0.0) {
        rest += right;
        quotient -= 1.0;
    }
    let floor = quotient.floor();
    (if quotient - floor > 0.5 { floor + 1.0 } else { floor }, rest)
}

fn shift_left(left: i64, right: i64) -> Option<i64> {
    let factor = 1i64.checked_shl(u32::try_from(right).ok()?).filter(|factor| *factor > 0)?;
    left.checked_mul(factor)
}

fn divide(left: f64, right: f64) -> Result<Number, String> {
    if right == 0.0 { Err("division by zero".into()) } else { Ok(Float(left / right)) }
}

fn power(left: f64, right: f64) -> Result<Number, String> {
    if left == 0.0 && right < 0.0 {
        return Err("zero cannot be raised to a negative power".into());
    }
    Ok(Float(left.powf(right)))
}

fn to_int(value: Number, round: fn(f64) -> f64) -> Result<Number, String> {
    if let Some(int) = value.as_int() {
        return Ok(Int(int));
    }
    let rounded = round(value.as_float());
    if rounded.is_finite() && rounded.abs() < 9.2e18 { Ok(Int(rounded as i64)) } else { Err(overflow()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(name: &str, arguments: &[Number]) -> Result<Number, String> {
        PythonFunction::named(name).unwrap().apply(arguments)
    }

    #[test]
    fn division_rounds_down_as_in_python() {
        for (left, right, quotient, rest) in [(7, 2, 3, 1), (-7, 2, -4, 1), (7, -2, -4, -1), (-7, -2, 3, -1)]
        {
            assert_eq!(call("_operator.floordiv", &[Int(left), Int(right)]), Ok(Int(quotient)));
            assert_eq!(call("_operator.mod", &[Int(left), Int(right)]), Ok(Int(rest)));
            let (left, right) = (Float(left as f64), Float(right as f64));
            assert_eq!(call("_operator.floordiv", &[left, right]), Ok(Float(quotient as f64)));
            assert_eq!(call("_operator.mod", &[left, right]), Ok(Float(rest as f64)));
        }
    }

    #[test]
    fn errors_are_errors_and_never_panics() {
        let extremes = [
            Int(i64::MIN),
            Int(i64::MAX),
            Int(0),
            Int(-1),
            Float(f64::NAN),
            Float(f64::INFINITY),
            Bool(true),
        ];
        for (_, function) in NAMES {
            for left in extremes {
                let _ = function.apply(&[left]);
                for right in extremes {
                    let _ = function.apply(&[left, right]);
                    let _ = function.apply(&[left, right, left]);
                }
            }
            assert!(function.apply(&[]).is_err());
        }
        assert!(call("_operator.floordiv", &[Int(1), Int(0)]).is_err());
        assert!(call("_operator.truediv", &[Int(1), Int(0)]).is_err());
        assert!(call("_operator.mul", &[Int(i64::MAX), Int(2)]).is_err());
        assert!(call("math.sqrt", &[Int(-1)]).is_err());
    }

    #[test]
    fn kinds_follow_python() {
        assert_eq!(call("_operator.truediv", &[Int(6), Int(3)]), Ok(Float(2.0)));
        assert_eq!(call("_operator.add", &[Bool(true), Int(1)]), Ok(Int(2)));
        assert_eq!(call("_operator.and_", &[Bool(true), Bool(false)]), Ok(Bool(false)));
        assert_eq!(call("_operator.pow", &[Int(2), Int(-1)]), Ok(Float(0.5)));
        assert_eq!(call("builtins.round", &[Float(2.5)]), Ok(Int(2)));
        assert_eq!(call("torch.sym_max", &[Int(2), Float(3.5)]), Ok(Float(3.5)));
        assert_eq!(call("torch.sym_ite", &[Bool(false), Int(1), Int(2)]), Ok(Int(2)));
        assert_eq!(call("math.ceil", &[Float(-0.5)]), Ok(Int(0)));
    }
}
