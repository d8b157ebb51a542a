//! Plans the input check when a program is read: the conditions that each call must satisfy, in
//! order.

use std::collections::HashMap;

use super::condition::{Condition, Guard};
use super::expr::Expr;
use super::guard;
use super::input_source::InputSources;
use super::interface::Port;
use super::linear_form::LinearForm;
use super::range_constraints::{ASSUMED, ExprRange, RangeLookup, key};
use super::symbol::{SymbolId, Symbols};

/// Selection of the recorded conditions that calls must satisfy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rules {
    /// Conditions that `torch.export.load(…).module()` (PyTorch 2.11) checks for an archive with
    /// sample inputs. These are guards, equal sizes, upper bounds, and lower bounds above 2.
    ///
    /// Lower bounds up to 2 are assumptions of the tracer (`_get_input_guards_for_graph` in
    /// `torch/export/_unlift.py`).
    #[default]
    Guarded,
    /// Conditions for an archive without sample inputs. PyTorch then generates no guards and
    /// compares derived sizes itself (`_check_input_constraints_for_graph` in
    /// `torch/_export/utils.py`).
    Unguarded,
    /// All recorded conditions, including every lower bound. For compiled code, which checks
    /// nothing itself.
    Recorded,
}

/// Part of the input check that is decided once per program.
#[derive(Clone, Debug, Default)]
pub(super) struct CheckPlan {
    /// The input sources.
    pub places: InputSources,
    /// The conditions on each call, in order.
    pub conditions: Vec<Condition>,
    /// The computation of symbols from input sources.
    pub definitions: Vec<Definition>,
}

/// Computation of a symbol from an input source.
#[derive(Clone, Debug)]
pub(super) struct Definition {
    /// The symbol.
    pub symbol: SymbolId,
    /// The input source.
    pub place: usize,
    /// The linear form to solve. None if the input source is the symbol itself.
    pub linear: Option<LinearForm>,
}

/// Records of a program about its inputs.
pub(super) struct Recorded<'a> {
    /// The inputs.
    pub inputs: &'a [Port],
    /// The symbols.
    pub names: &'a Symbols,
    /// The ranges of symbols and of expressions.
    pub ranges: &'a [ExprRange],
    /// The guards as Python text.
    pub guards: &'a [String],
    /// The size assertions of the graph.
    pub assertions: &'a [Guard],
    /// The names of `forward`'s parameters.
    pub parameters: &'a [String],
}

impl CheckPlan {
    /// Selects the conditions. Also returns the guards that are not checked.
    pub fn plan(recorded: &Recorded, rules: Rules) -> (CheckPlan, Vec<String>) {
        let places = InputSources::of(recorded.inputs, recorded.names.names().len());
        let mut planner = Planner {
            places: &places,
            lookup: RangeLookup::of(recorded.ranges),
            sources: HashMap::new(),
            values: vec![None; recorded.names.names().len()],
            conditions: Vec::new(),
        };
        match rules {
            Rules::Guarded => planner.guarded(),
            Rules::Unguarded => planner.unguarded(),
            Rules::Recorded => planner.recorded(recorded.ranges),
        }
        let (mut conditions, definitions) = (planner.conditions, definitions(&places));
        conditions.extend(recorded.assertions.iter().cloned().map(Condition::Guard));
        if rules == Rules::Unguarded {
            return (CheckPlan { places, conditions, definitions }, recorded.guards.to_vec());
        }
        let (guards, unchecked) = guard::read(recorded, &places);
        conditions.extend(guards.into_iter().map(Condition::Guard));
        (CheckPlan { places, conditions, definitions }, unchecked)
    }
}

struct Planner<'a> {
    places: &'a InputSources,
    lookup: RangeLookup<'a>,
    /// The first input source of each expression, by its [`key`].
    sources: HashMap<String, usize>,
    /// The values of the symbols as expressions of input sources, as far as they are known.
    values: Vec<Option<Expr>>,
    conditions: Vec<Condition>,
}

impl Planner<'_> {
    fn guarded(&mut self) {
        let mut deferred = Vec::new();
        for (place, expr) in self.places.list().iter().map(|place| &place.expr).enumerate() {
            let key = key(expr);
            let Some(range) = self.lookup.find(&key) else { continue };
            match self.sources.get(&key) {
                Some(first) => self.conditions.push(Condition::Same { place, first: *first }),
                None => {
                    self.sources.insert(key, place);
                    self.range(place, range.min.filter(|min| *min > ASSUMED), range.max);
                }
            }
            deferred.extend(only_symbol(expr).map(|symbol| (place, expr, symbol)));
        }
        for (place, expr, symbol) in deferred {
            // PyTorch leaves these conditions to the guards.
            if self.sources.contains_key(&key(&Expr::Symbol(symbol))) {
                continue;
            }
            match self.substituted(expr) {
                Some(value) => self.conditions.push(Condition::Equal { place, expr: value }),
                None => self.solve(place, expr, symbol),
            }
        }
    }

    fn unguarded(&mut self) {
        for (place, expr) in self.places.list().iter().map(|place| &place.expr).enumerate() {
            let Some(symbol) = only_symbol(expr) else { continue };
            match self.substituted(expr) {
                Some(value) => self.conditions.push(self.equal(place, value)),
                None => {
                    // sympy accepts only solutions that are positive whole numbers.
                    if let Some(linear) = LinearForm::of(expr).filter(|_| expr.as_symbol().is_none()) {
                        let (min, max) = (Some(1), None);
                        self.conditions.push(Condition::Solvable { place, linear, min, max });
                    }
                    self.solve(place, expr, symbol);
                }
            }
            if let Some(range) = self.lookup.find(&key(expr)) {
                self.range(place, range.min.filter(|min| *min > ASSUMED), range.max);
            }
        }
    }

    fn recorded(&mut self, ranges: &[ExprRange]) {
        let (mut waiting, lookup) = (Vec::new(), |planner: &Self, symbol: SymbolId| {
            let range = planner.lookup.find(&key(&Expr::Symbol(symbol)));
            range.map_or((None, None), |range| (range.min, range.max))
        });
        for (place, expr) in self.places.list().iter().map(|place| &place.expr).enumerate() {
            let Some(symbol) = expr.as_symbol() else {
                waiting.push((place, expr));
                continue;
            };
            match self.substituted(expr) {
                Some(value) => self.conditions.push(self.equal(place, value)),
                None => {
                    self.define(symbol, self.places.expr(place));
                    let (min, max) = lookup(self, symbol);
                    self.range(place, min, max);
                }
            }
        }
        for _ in 0..MAX_ROUNDS {
            for (place, expr) in std::mem::take(&mut waiting) {
                if let Some(value) = self.substituted(expr) {
                    self.conditions.push(Condition::Equal { place, expr: value });
                } else if let Some(linear) = LinearForm::of(expr) {
                    let (min, max) = lookup(self, linear.symbol);
                    self.conditions.push(Condition::Solvable { place, linear, min, max });
                    self.define(linear.symbol, linear.inverse(self.places.expr(place)));
                } else {
                    waiting.push((place, expr));
                }
            }
        }
        for range in ranges.iter().filter(|range| range.expr.as_symbol().is_none()) {
            let Some(expr) = self.substituted(&range.expr) else { continue };
            let place = self.places.first(&expr).unwrap_or(0);
            let (recorded, min, max) = (range.expr.clone(), range.min, range.max);
            self.conditions.push(Condition::Bounds { place, expr, recorded, min, max });
        }
    }

    fn range(&mut self, place: usize, min: Option<i64>, max: Option<i64>) {
        if min.is_some() || max.is_some() {
            self.conditions.push(Condition::Range { place, min, max });
        }
    }

    fn equal(&self, place: usize, expr: Expr) -> Condition {
        match expr.as_symbol().and_then(|id| self.places.number(id)) {
            Some(first) => Condition::Same { place, first },
            None => Condition::Equal { place, expr },
        }
    }

    fn define(&mut self, symbol: SymbolId, value: Expr) {
        if let Some(known) = self.values.get_mut(symbol.index()) {
            *known = Some(value);
        }
    }

    /// Defines a symbol by an input source that is the symbol or a linear form of it.
    fn solve(&mut self, place: usize, expr: &Expr, symbol: SymbolId) {
        if expr.as_symbol().is_some() {
            self.define(symbol, self.places.expr(place));
        } else if let Some(linear) = LinearForm::of(expr) {
            self.define(symbol, linear.inverse(self.places.expr(place)));
        }
    }

    /// Replaces the symbols in an expression by their values. Returns None unless all are known.
    fn substituted(&self, expr: &Expr) -> Option<Expr> {
        Some(match expr {
            Expr::Symbol(id) => self.values.get(id.index())?.clone()?,
            Expr::Call(function, arguments) => {
                let arguments = arguments.iter().map(|argument| self.substituted(argument));
                Expr::Call(*function, arguments.collect::<Option<_>>()?)
            }
            constant => constant.clone(),
        })
    }
}

/// Limit on symbols that are solved one after another. The longest known chain has two.
const MAX_ROUNDS: usize = 8;

/// Returns the symbol of an expression that has exactly one.
fn only_symbol(expr: &Expr) -> Option<SymbolId> {
    let mut only: Option<Result<SymbolId, ()>> = None;
    expr.each_symbol(&mut |id| {
        only = Some(match only {
            Some(Ok(first)) if first == id => Ok(id),
            None => Ok(id),
            _ => Err(()),
        });
    });
    only?.ok()
}

/// Returns a definition for each symbol. Prefers the first input source that is the symbol itself
/// to one that must be solved.
fn definitions(places: &InputSources) -> Vec<Definition> {
    let mut found: HashMap<SymbolId, Definition> = HashMap::new();
    for (place, expr) in places.list().iter().map(|place| &place.expr).enumerate() {
        let linear = if expr.as_symbol().is_some() { None } else { LinearForm::of(expr) };
        let Some(symbol) = expr.as_symbol().or(linear.map(|linear| linear.symbol)) else { continue };
        let better = |known: &Definition| known.linear.is_some() && linear.is_none();
        if found.get(&symbol).is_none_or(better) {
            found.insert(symbol, Definition { symbol, place, linear });
        }
    }
    let mut definitions: Vec<_> = found.into_values().collect();
    definitions.sort_unstable_by_key(|definition| definition.symbol);
    definitions
}
