//! Conditions that one call has to satisfy, as expressions of the [`InputSources`](super::input_source::InputSources) of its inputs.

use super::expr::Expr;
use super::linear_form::LinearForm;

/// A condition, with the place to blame where it does not hold.
#[derive(Clone, Debug)]
pub(super) enum Condition {
    /// A place is within a range.
    Range {
        /// The place.
        place: usize,
        /// The least value allowed.
        min: Option<i64>,
        /// The greatest value allowed.
        max: Option<i64>,
    },
    /// A place has the value of an earlier one.
    Same {
        /// The place.
        place: usize,
        /// The earlier one.
        first: usize,
    },
    /// A place has the value of an expression of other places.
    Equal {
        /// The place.
        place: usize,
        /// The expression.
        expr: Expr,
    },
    /// A place is what its expression gives for some value of its symbol, within that symbol's range.
    Solvable {
        /// The place.
        place: usize,
        /// How the symbol follows from the place.
        linear: LinearForm,
        /// The least value of the symbol.
        min: Option<i64>,
        /// The greatest value of the symbol.
        max: Option<i64>,
    },
    /// An expression of places is within a range.
    Bounds {
        /// The place to blame.
        place: usize,
        /// The expression of places.
        expr: Expr,
        /// The same in the program's symbols.
        recorded: Expr,
        /// The least value allowed.
        min: Option<i64>,
        /// The greatest value allowed.
        max: Option<i64>,
    },
    /// A guard of the program holds.
    Guard(Guard),
}

/// A condition from `guards_code`.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    /// The condition, an expression of places.
    pub expr: Expr,
    /// Its Python text.
    pub text: String,
    /// The place to blame; none where the guard speaks of fixed sizes only.
    pub place: Option<usize>,
}
