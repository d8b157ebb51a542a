//! Python's functions on sizes and other numbers, resolved when the plan is built.

mod apply;

/// Function of Python that exported programs call on numbers: `_operator.*`, `math.*`,
/// `torch.sym_*` and builtins.
///
/// Source: `_SYM_OPS` in `torch/_export/serde/serialize.py`, 2.11.
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
    FloatPow,
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
    SymMin,
    SymMax,
    Ite,
    ToInt,
    ToFloat,
    Trunc,
    Floor,
    Ceil,
    Round,
    Sqrt,
}

/// Functions by the names that exported programs use.
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
        ("math.pow", FloatPow),
        ("builtins.abs", Abs),
        ("builtins.min", Min),
        ("builtins.max", Max),
        ("builtins.pow", Pow),
        ("builtins.round", Round),
        ("builtins.int", ToInt),
        ("builtins.float", ToFloat),
        ("torch.sym_min", SymMin),
        ("torch.sym_max", SymMax),
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
    /// Returns the function of a target; None if a plan cannot compute it.
    pub fn named(target: &str) -> Option<PythonFunction> {
        NAMES.iter().find(|(name, _)| *name == target).map(|(_, function)| *function)
    }
}

#[cfg(test)]
mod tests {
    use super::{NAMES, PythonFunction};
    use crate::program::number::Number::{self, Bool, Float, Int};

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
        assert_eq!(call("math.pow", &[Int(2), Int(3)]), Ok(Float(8.0)));
        assert_eq!(call("torch.sym_max", &[Int(3), Float(2.5)]), Ok(Float(3.0)));
        assert_eq!(call("torch.sym_min", &[Float(2.5), Int(2)]), Ok(Float(2.0)));
        assert_eq!(call("builtins.max", &[Int(3), Float(2.5)]), Ok(Int(3)));
        assert_eq!(call("_operator.pos", &[Bool(true)]), Ok(Int(1)));
        assert_eq!(call("builtins.abs", &[Bool(true)]), Ok(Int(1)));
        assert_eq!(call("torch.sym_sum", &[Int(1), Int(2), Int(3)]), Ok(Int(6)));
    }

    #[test]
    fn large_numbers_are_exact() {
        let large = (1i64 << 53) + 1;
        assert_eq!(call("_operator.gt", &[Int(large), Float((1i64 << 53) as f64)]), Ok(Bool(true)));
        assert_eq!(call("_operator.truediv", &[Int(i64::MAX), Int(3)]), Ok(Float(3074457345618258602.5)));
        assert_eq!(call("_operator.rshift", &[Int(-5), Int(200)]), Ok(Int(-1)));
        assert_eq!(call("_operator.rshift", &[Int(-5), Int(1)]), Ok(Int(-3)));
        assert_eq!(call("_operator.lshift", &[Int(0), Int(200)]), Ok(Int(0)));
        assert!(call("_operator.lshift", &[Int(1), Int(63)]).is_err());
        assert!(call("_operator.pow", &[Float(-8.0), Float(0.5)]).is_err());
        assert!(call("_operator.pow", &[Float(10.0), Int(400)]).is_err());
    }
}
