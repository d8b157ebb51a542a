//! Conditions on the inputs of one call, as expressions of
//! [`InputSources`](super::input_source::InputSources).

use super::expr::Expr;
use super::linear_form::LinearForm;

/// A condition, with the input source that errors name.
#[derive(Clone, Debug)]
pub(super) enum Condition {
    /// An input source is within a range.
    Range {
        /// The input source.
        place: usize,
        /// The lower bound.
        min: Option<i64>,
        /// The upper bound.
        max: Option<i64>,
    },
    /// An input source equals an earlier one.
    Same {
        /// The input source.
        place: usize,
        /// The earlier input source.
        first: usize,
    },
    /// An input source equals an expression of other input sources.
    Equal {
        /// The input source.
        place: usize,
        /// The expression.
        expr: Expr,
    },
    /// An input source is the value of its linear form for some value of the symbol within the
    /// symbol's range.
    Solvable {
        /// The input source.
        place: usize,
        /// The linear form from which the symbol is computed.
        linear: LinearForm,
        /// The lower bound of the symbol.
        min: Option<i64>,
        /// The upper bound of the symbol.
        max: Option<i64>,
    },
    /// An expression of input sources is within a range.
    Bounds {
        /// The input source that errors name.
        place: usize,
        /// The expression of input sources.
        expr: Expr,
        /// The same expression in the program's symbols.
        recorded: Expr,
        /// The lower bound.
        min: Option<i64>,
        /// The upper bound.
        max: Option<i64>,
    },
    /// A guard of the program holds.
    Guard(Guard),
}

/// A condition from `guards_code` or from an assertion in the graph.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    /// The condition as an expression of input sources.
    pub expr: Expr,
    /// The Python text.
    pub text: String,
    /// The record that contains it.
    pub origin: GuardOrigin,
    /// The input source that errors name. None if the guard mentions only fixed sizes.
    pub place: Option<usize>,
}

/// Record of a program that contains a guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GuardOrigin {
    /// `guards_code`.
    Guards,
    /// An `aten::_assert_scalar` node.
    Assertion,
}

impl std::fmt::Display for GuardOrigin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            GuardOrigin::Guards => "guard",
            GuardOrigin::Assertion => "assertion",
        })
    }
}
