//! Functions in symbolic expressions, with their names in text.

/// A function of a symbolic expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExprFunction {
    /// Sum of any number of terms.
    Add,
    /// Difference.
    Sub,
    /// Product of any number of factors.
    Mul,
    /// Power; exact for exact bases and whole exponents.
    Pow,
    /// Power with a natural exponent.
    PowByNatural,
    /// Power of floats.
    FloatPow,
    /// Exact quotient, as a fraction unless it is whole.
    Div,
    /// Quotient of ints as a float, rounded once.
    IntTrueDiv,
    /// Quotient of floats.
    FloatTrueDiv,
    /// Quotient, rounded down.
    FloorDiv,
    /// Quotient, rounded up.
    CeilDiv,
    /// Remainder with the divisor's sign.
    Mod,
    /// `(a // b) % c`.
    ModularIndexing,
    /// Product with a power of two.
    LShift,
    /// Quotient by a power of two, rounded down.
    RShift,
    /// Minimum.
    Min,
    /// Maximum.
    Max,
    /// Absolute value.
    Abs,
    /// Negation.
    Neg,
    /// Conversion to a float.
    ToFloat,
    /// Truncation to an int.
    TruncToInt,
    /// Truncation to a float.
    TruncToFloat,
    /// Rounding up to an int.
    CeilToInt,
    /// Rounding down to an int.
    FloorToInt,
    /// Rounding to the nearest int, with ties to even.
    RoundToInt,
    /// Rounding to a number of decimals.
    RoundDecimal,
    /// Identity.
    Identity,
    /// Bitwise and.
    BitAnd,
    /// Bitwise or.
    BitOr,
    /// Bitwise exclusive or.
    BitXor,
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
    /// Greater.
    Gt,
    /// Greater or equal.
    Ge,
    /// True if all arguments hold.
    And,
    /// True if any argument holds.
    Or,
    /// True if the argument does not hold.
    Not,
    /// The second argument if the first holds, else the third.
    Where,
    /// The first value whose condition holds.
    Piecewise,
    /// A value and its condition, inside `Piecewise`.
    Case,
    /// 1 if sizes and strides describe a dense tensor without overlaps, else 0.
    Dense,
    /// Square root.
    Sqrt,
    /// Cosine.
    Cos,
    /// Hyperbolic cosine.
    Cosh,
    /// Sine.
    Sin,
    /// Hyperbolic sine.
    Sinh,
    /// Tangent.
    Tan,
    /// Hyperbolic tangent.
    Tanh,
    /// Inverse sine.
    Asin,
    /// Inverse cosine.
    Acos,
    /// Inverse tangent.
    Atan,
    /// Inverse hyperbolic sine.
    Asinh,
    /// Exponential.
    Exp,
    /// Natural logarithm.
    Log,
    /// Logarithm to base 2.
    Log2,
}

use ExprFunction::*;

/// Maximum argument count of functions without an upper limit.
const MANY: usize = usize::MAX;

/// Function names, with the minimum and maximum number of arguments.
///
/// The names are the classes of `torch/utils/_sympy/functions.py` 2.11, sympy 1.14 as printed by
/// `srepr`, and Python as printed in guards.
const TABLE: &[(&str, ExprFunction, usize, usize)] = &[
    ("Add", Add, 0, MANY),
    ("Mul", Mul, 0, MANY),
    ("Pow", Pow, 2, 2),
    ("PowByNatural", PowByNatural, 2, 2),
    ("FloatPow", FloatPow, 2, 2),
    ("IntTrueDiv", IntTrueDiv, 2, 2),
    ("FloatTrueDiv", FloatTrueDiv, 2, 2),
    ("FloorDiv", FloorDiv, 2, 2),
    ("CleanDiv", FloorDiv, 2, 2),
    ("CeilDiv", CeilDiv, 2, 2),
    ("Mod", Mod, 2, 2),
    ("PythonMod", Mod, 2, 2),
    ("ModularIndexing", ModularIndexing, 3, 3),
    ("LShift", LShift, 2, 2),
    ("RShift", RShift, 2, 2),
    ("Min", Min, 1, MANY),
    ("min", Min, 1, MANY),
    ("Max", Max, 1, MANY),
    ("max", Max, 1, MANY),
    ("Abs", Abs, 1, 1),
    ("abs", Abs, 1, 1),
    ("ToFloat", ToFloat, 1, 1),
    ("float", ToFloat, 1, 1),
    ("TruncToInt", TruncToInt, 1, 1),
    ("trunc", TruncToInt, 1, 1),
    ("int", TruncToInt, 1, 1),
    ("TruncToFloat", TruncToFloat, 1, 1),
    ("CeilToInt", CeilToInt, 1, 1),
    ("ceiling", CeilToInt, 1, 1),
    ("ceil", CeilToInt, 1, 1),
    ("FloorToInt", FloorToInt, 1, 1),
    ("floor", FloorToInt, 1, 1),
    ("RoundToInt", RoundToInt, 1, 1),
    ("round", RoundToInt, 1, 1),
    ("RoundDecimal", RoundDecimal, 2, 2),
    ("Identity", Identity, 1, 1),
    ("BitwiseFn_bitwise_and", BitAnd, 2, 2),
    ("BitwiseFn_bitwise_or", BitOr, 2, 2),
    ("BitwiseFn_bitwise_xor", BitXor, 2, 2),
    ("Equality", Eq, 2, 2),
    ("Eq", Eq, 2, 2),
    ("Unequality", Ne, 2, 2),
    ("Ne", Ne, 2, 2),
    ("StrictLessThan", Lt, 2, 2),
    ("Lt", Lt, 2, 2),
    ("LessThan", Le, 2, 2),
    ("Le", Le, 2, 2),
    ("StrictGreaterThan", Gt, 2, 2),
    ("Gt", Gt, 2, 2),
    ("GreaterThan", Ge, 2, 2),
    ("Ge", Ge, 2, 2),
    ("And", And, 0, MANY),
    ("Or", Or, 0, MANY),
    ("Not", Not, 1, 1),
    ("Where", Where, 3, 3),
    ("Piecewise", Piecewise, 1, MANY),
    ("ExprCondPair", Case, 2, 2),
    ("IsNonOverlappingAndDenseIndicator", Dense, 2, MANY),
    ("OpaqueUnaryFn_sqrt", Sqrt, 1, 1),
    ("sqrt", Sqrt, 1, 1),
    ("OpaqueUnaryFn_cos", Cos, 1, 1),
    ("OpaqueUnaryFn_cosh", Cosh, 1, 1),
    ("OpaqueUnaryFn_sin", Sin, 1, 1),
    ("OpaqueUnaryFn_sinh", Sinh, 1, 1),
    ("OpaqueUnaryFn_tan", Tan, 1, 1),
    ("OpaqueUnaryFn_tanh", Tanh, 1, 1),
    ("OpaqueUnaryFn_asin", Asin, 1, 1),
    ("OpaqueUnaryFn_acos", Acos, 1, 1),
    ("OpaqueUnaryFn_atan", Atan, 1, 1),
    ("OpaqueUnaryFn_asinh", Asinh, 1, 1),
    ("OpaqueUnaryFn_exp", Exp, 1, 1),
    ("OpaqueUnaryFn_log", Log, 1, 1),
    ("OpaqueUnaryFn_log2", Log2, 1, 1),
];

impl ExprFunction {
    /// Returns the function of this name, and true if it takes so many arguments.
    pub fn find(name: &str, arguments: usize) -> Option<(ExprFunction, bool)> {
        let found = TABLE.iter().find(|entry| entry.0 == name)?;
        Some((found.1, (found.2..=found.3).contains(&arguments)))
    }

    /// Returns the function's first name in the table.
    pub fn name(self) -> &'static str {
        TABLE.iter().find(|entry| entry.1 == self).map_or("-", |entry| entry.0)
    }
}
