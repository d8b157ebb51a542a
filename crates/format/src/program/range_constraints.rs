//! Range constraints that a program records for its symbols and for expressions of them.

use std::collections::{BTreeMap, HashMap};

use super::expr::Expr;
use super::expr_function::ExprFunction;
use super::interface::Symbol;
use super::json::malformed;
use super::schema::{PythonInt, RangeConstraint};
use super::symbol::Symbols;
use crate::error::Result;

/// Range of an expression, which may be a single symbol.
#[derive(Clone, Debug)]
pub(super) struct ExprRange {
    pub expr: Expr,
    pub min: Option<i64>,
    pub max: Option<i64>,
}

/// `sys.maxsize - 1`, which represented infinity before `int_oo` (`torch/utils/_sympy/numbers.py`).
const INFINITE: i64 = i64::MAX - 1;

/// Greatest recorded lower bound that `torch.export.load(…).module()` does not enforce, because "we
/// allow dimensions to be 0/1 at runtime" (`_check_symint` in `torch/_export/utils.py`,
/// `_get_input_guards_for_graph` in `torch/export/_unlift.py`, 2.11).
pub(super) const ASSUMED: i64 = 2;

/// Reads all ranges of a program. PyTorch 2.11 treats keys as names of symbols and skips unknown
/// ones, whatever their text (`deserialize_range_constraints` in
/// `torch/_export/serde/serialize.py`).
pub(super) fn read(
    constraints: &BTreeMap<String, RangeConstraint>,
    names: &mut Symbols,
) -> Result<Vec<ExprRange>> {
    let ranges = constraints.iter().map(|(text, range)| read_range(text, range, names));
    ranges.filter_map(Result::transpose).collect()
}

fn read_range(text: &str, range: &RangeConstraint, names: &mut Symbols) -> Result<Option<ExprRange>> {
    let at = || format!("range_constraints.{text}");
    let Ok(expr) = Expr::parse(text, names) else { return Ok(None) };
    let (min, max) = (range.min_val.map(PythonInt::saturated), range.max_val.map(PythonInt::saturated));
    let (min, max) = (min.filter(|min| *min > -INFINITE), max.filter(|max| *max < INFINITE));
    match min.zip(max) {
        Some((min, max)) if min > max => Err(malformed(at(), format!("{min}..{max} is empty"))),
        _ => Ok(Some(ExprRange { expr, min, max })),
    }
}

/// Returns the symbols with their recorded ranges.
pub(super) fn symbols(names: &Symbols, ranges: &[ExprRange]) -> Vec<Symbol> {
    let mut symbols: Vec<_> =
        names.names().iter().map(|name| Symbol { name: name.clone(), min: None, max: None }).collect();
    for range in ranges {
        let symbol = range.expr.as_symbol().and_then(|id| symbols.get_mut(id.index()));
        if let Some(symbol) = symbol {
            (symbol.min, symbol.max) = (range.min, range.max);
        }
    }
    symbols
}

/// Ranges, indexed by expression.
pub(super) struct RangeLookup<'a>(HashMap<String, &'a ExprRange>);

impl<'a> RangeLookup<'a> {
    /// Indexes all ranges.
    pub fn of(ranges: &'a [ExprRange]) -> RangeLookup<'a> {
        RangeLookup(ranges.iter().map(|range| (key(&range.expr), range)).collect())
    }

    /// Returns the range of an expression with this [`key`].
    pub fn find(&self, key: &str) -> Option<&'a ExprRange> {
        self.0.get(key).copied()
    }
}

/// Returns a key that does not depend on the order of terms or factors, as sympy compares
/// expressions. The keys of ranges are sympy's `str`, but sizes are its `srepr`.
pub(super) fn key(expr: &Expr) -> String {
    match expr {
        Expr::Symbol(id) => format!("s{}", id.index()),
        Expr::Call(ExprFunction::Identity, inner) if inner.len() == 1 => inner.iter().map(key).collect(),
        Expr::Call(function, arguments) => {
            let mut arguments: Vec<String> = arguments.iter().map(key).collect();
            if matches!(
                function,
                ExprFunction::Add | ExprFunction::Mul | ExprFunction::Min | ExprFunction::Max
            ) {
                arguments.sort_unstable();
            }
            format!("{function:?}({})", arguments.join(","))
        }
        other => format!("{other:?}"),
    }
}
