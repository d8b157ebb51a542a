//! Functions that symbolic expressions call, with the names that text gives them.

/// A function of a symbolic expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExprFunction {
    /// Sum of any number of terms.
    Add,
    /// Difference.
    Sub,
    /// Product of any number of factors.
    Mul,
    /// Power; exact where base and exponent are.
    Pow,
    /// Power with a natural exponent.
    PowByNatural,
    /// Power of floats.
    FloatPow,
    /// Exact quotient: a fraction where it is not whole.
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
    /// Times a power of two.
    LShift,
    /// Divided by a power of two, rounded down.
    RShift,
    /// The least.
    Min,
    /// The greatest.
    Max,
    /// Without sign.
    Abs,
    /// Minus.
    Neg,
    /// As a float.
    ToFloat,
    /// Towards zero, to an int.
    TruncToInt,
    /// Towards zero, to a float.
    TruncToFloat,
    /// Up, to an int.
    CeilToInt,
    /// Down, to an int.
    FloorToInt,
    /// To the nearest int, halves to the even one.
    RoundToInt,
    /// To a number of decimals.
    RoundDecimal,
    /// Itself.
    Identity,
    /// Bits that both have.
    BitAnd,
    /// Bits that either has.
    BitOr,
    /// Bits that one of them has.
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
    /// All hold.
    And,
    /// One holds.
    Or,
    /// Does not hold.
    Not,
    /// The second where the first holds, else the third.
    Where,
    /// The first value whose condition holds.
    Piecewise,
    /// A value and its condition, inside `Piecewise`.
    Case,
    /// Whether sizes and strides cover memory without holes, as 0 or 1.
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

/// Any number of arguments from this many.
const MANY: usize = usize::MAX;

/// Names in text, the function, and the least and greatest number of arguments.
///
/// The names are the classes of `torch/utils/_sympy/functions.py` 2.11, of sympy 1.14 as `srepr` prints them,
/// and of Python where guards print them.
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
    /// The function of this name and whether it takes so many arguments.
    pub fn find(name: &str, arguments: usize) -> Option<(ExprFunction, bool)> {
        let found = TABLE.iter().find(|entry| entry.0 == name)?;
        Some((found.1, (found.2..=found.3).contains(&arguments)))
    }

    /// The first name the table has for the function.
    pub fn name(self) -> &'static str {
        TABLE.iter().find(|entry| entry.1 == self).map_or("-", |entry| entry.0)
    }
}
