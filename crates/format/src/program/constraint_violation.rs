//! Constraint violation: the error of a call that breaks a condition. It names the input, its value
//! and the allowed values.

use super::condition::{Condition, Guard};
use super::expr::Expr;
use super::guard_message::describe_guard;
use super::interface::Interface;
use super::number::Number;
use crate::error::Error;

impl Interface {
    /// Returns the error for inputs that break a condition.
    pub(super) fn violation(&self, condition: &Condition, values: &[Option<i64>]) -> Error {
        let (place, reason) = Violation { interface: self, values }.of(condition);
        let input = self.checks.places.get(place).map_or(0, |place| place.input);
        match self.inputs.get(input) {
            Some(port) => port.refuse(reason),
            None => Error::Input { input: String::new(), reason },
        }
    }
}

/// Values of a call, and the interface that rejects them.
pub(super) struct Violation<'a> {
    /// The interface.
    pub interface: &'a Interface,
    /// The values of the symbols, followed by those of the input sources.
    pub values: &'a [Option<i64>],
}

impl Violation<'_> {
    /// Returns the input source that the error names, and the reason.
    fn of(&self, condition: &Condition) -> (usize, String) {
        match condition {
            Condition::Range { place, min, max } => {
                let (is, symbol) = (self.is(*place), self.recorded(*place));
                (*place, format!("{is}, expected {} ({symbol})", allowed(*min, *max)))
            }
            Condition::Same { place, first } => {
                let (is, symbol) = (self.is(*place), self.recorded(*place));
                let (value, other) = (self.value(*first), self.full(*first));
                (*place, format!("{is}, expected {value}, the same as {other} ({symbol})"))
            }
            Condition::Equal { place, expr } => {
                let (is, recorded) = (self.is(*place), self.recorded(*place));
                (*place, format!("{is}, expected {} ({recorded}; {})", self.result(expr), self.given(expr)))
            }
            Condition::Solvable { place, linear, min, max } => {
                let (is, recorded) = (self.is(*place), self.recorded(*place));
                let symbol = self.interface.names.name(linear.symbol);
                let solution = self.number(*place).and_then(|value| linear.solve(value));
                (
                    *place,
                    match solution {
                        None => format!("{is}, which {recorded} cannot be"),
                        Some(value) => format!(
                            "{is}, so that {symbol} in {recorded} is {value}, expected {}",
                            allowed(*min, *max)
                        ),
                    },
                )
            }
            Condition::Bounds { place, expr, recorded, min, max } => {
                let (recorded, result) = (recorded.display(&self.interface.names), self.result(expr));
                let (allowed, given) = (allowed(*min, *max), self.given(expr));
                (*place, format!("{recorded} is {result}, expected {allowed} ({given})"))
            }
            Condition::Guard(guard) => self.guard(guard),
        }
    }

    fn guard(&self, guard: &Guard) -> (usize, String) {
        let text = &guard.text;
        if let Some((place, words)) = describe_guard(&guard.expr, self) {
            return (place, format!("{}, expected {words} ({} `{text}`)", self.is(place), guard.origin));
        }
        let given = self.given(&guard.expr);
        let reason = match guard.expr.eval_bool(self.values) {
            Ok(_) if given.is_empty() => format!("the program requires `{text}`, which never holds"),
            Ok(_) => format!("the program requires `{text}`, but {given}"),
            Err(error) => format!("the program requires `{text}`, but {given}: {error}"),
        };
        (guard.place.unwrap_or(0), reason)
    }

    /// Returns the value of an input source.
    pub fn number(&self, place: usize) -> Option<i64> {
        self.interface.place_value(place, self.values)
    }

    /// Returns the value of an input source as text.
    pub fn value(&self, place: usize) -> String {
        self.number(place).map_or("unknown".into(), |value| value.to_string())
    }

    /// Returns the name of an input source for messages.
    pub fn full(&self, place: usize) -> String {
        let Some(place) = self.interface.checks.places.get(place) else { return "an input".into() };
        let name = self.interface.inputs.get(place.input).map_or("", |port| port.name.as_str());
        match place.dim {
            Some(dim) => format!("dimension {dim} of `{name}`"),
            None => format!("`{name}`"),
        }
    }

    fn is(&self, place: usize) -> String {
        let dim = self.interface.checks.places.get(place).and_then(|place| place.dim);
        let subject = dim.map_or("it".into(), |dim| format!("dimension {dim}"));
        format!("{subject} is {}", self.value(place))
    }

    /// Returns the symbol or expression that the program records for an input source.
    fn recorded(&self, place: usize) -> String {
        let Some(place) = self.interface.checks.places.get(place) else { return String::new() };
        let text = place.expr.display(&self.interface.names);
        if place.expr.as_symbol().is_some() { format!("symbol {text}") } else { text.to_string() }
    }

    fn result(&self, expr: &Expr) -> String {
        match expr.eval(self.values) {
            Ok(Number::Int(value)) => value.to_string(),
            Ok(Number::Rational(numerator, denominator)) => format!("{numerator}/{denominator}"),
            Ok(Number::Float(value)) => value.to_string(),
            Ok(Number::Bool(value)) => value.to_string(),
            Err(error) => format!("a value that cannot be computed ({error})"),
        }
    }

    /// Lists the input sources in an expression with their values.
    pub fn given(&self, expr: &Expr) -> String {
        let mut places = Vec::new();
        expr.each_symbol(&mut |id| {
            if let Some(place) = self.interface.checks.places.number(id).filter(|at| !places.contains(at)) {
                places.push(place);
            }
        });
        let one = |place: &usize| format!("{} is {}", self.full(*place), self.value(*place));
        let mut all: Vec<String> = places.iter().take(MOST_PLACES).map(one).collect();
        if places.len() > MOST_PLACES {
            all.push(format!("{} more", places.len() - MOST_PLACES));
        }
        all.join(", ")
    }
}

/// Limit on the input sources that a message lists.
const MOST_PLACES: usize = 8;

/// Formats a range in words.
pub(super) fn allowed(min: Option<i64>, max: Option<i64>) -> String {
    match (min, max) {
        (Some(min), Some(max)) if min == max => min.to_string(),
        (Some(min), Some(max)) => format!("{min} to {max}"),
        (Some(min), None) => format!("at least {min}"),
        (None, Some(max)) => format!("at most {max}"),
        (None, None) => "any value".into(),
    }
}
