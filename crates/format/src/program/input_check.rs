//! Checks a call's inputs against the interface: count, kinds, element types, ranks, sizes, ranges,
//! equalities and guards. A check that passes allocates only the list of values.

use super::condition::Condition;
use super::expr::Expr;
use super::input_view::{InputView, is_constant, kind_name, view_name};
use super::interface::{Dim, Interface, Port, PortKind, TensorPort};
use super::schema::ScalarType;
use crate::error::{Error, Result};

/// Values of the symbols in one call, by number. None for a symbol that no input determines.
pub type Bindings = Vec<Option<i64>>;

impl Interface {
    /// Checks a call's inputs. Returns the values of the symbols, or an error if the program does
    /// not accept the inputs.
    pub fn check(&self, given: &[InputView]) -> Result<Bindings> {
        if given.len() != self.inputs.len() {
            return Err(Error::InputCount { expected: self.inputs.len(), found: given.len() });
        }
        let symbols = self.symbols.len();
        let mut values = Vec::with_capacity(symbols + self.checks.places.list().len());
        values.resize(symbols, None);
        for (port, view) in self.inputs.iter().zip(given) {
            input(port, view, &mut values)?;
        }
        let broken = self.checks.conditions.iter().find(|condition| !self.holds(condition, &values));
        if let Some(condition) = broken {
            return Err(self.violation(condition, &values));
        }
        for definition in &self.checks.definitions {
            let value = self.place_value(definition.place, &values);
            let value = value.and_then(|value| match &definition.linear {
                Some(linear) => linear.solve(value),
                None => Some(value),
            });
            if let Some(symbol) = values.get_mut(definition.symbol.index()) {
                *symbol = value;
            }
        }
        values.truncate(symbols);
        Ok(values)
    }

    /// Returns a call's value at an input source.
    pub(super) fn place_value(&self, place: usize, values: &[Option<i64>]) -> Option<i64> {
        values.get(self.checks.places.symbol(place).index()).copied().flatten()
    }

    fn holds(&self, condition: &Condition, values: &[Option<i64>]) -> bool {
        let at = |place: &usize| self.place_value(*place, values);
        let equal = |expr: &Expr, value: Option<i64>| value.is_some() && expr.eval_int(values).ok() == value;
        match condition {
            Condition::Range { place, min, max } => at(place).is_some_and(|value| within(value, *min, *max)),
            Condition::Same { place, first } => at(place) == at(first),
            Condition::Equal { place, expr } => equal(expr, at(place)),
            Condition::Solvable { place, linear, min, max } => at(place)
                .and_then(|value| linear.solve(value))
                .is_some_and(|solution| within(solution, *min, *max)),
            Condition::Bounds { expr, min, max, .. } => {
                expr.eval_int(values).is_ok_and(|value| within(value, *min, *max))
            }
            Condition::Guard(guard) => guard.expr.eval_bool(values) == Ok(true),
        }
    }
}

/// Checks one input on its own, and appends the values of its input sources.
fn input(port: &Port, view: &InputView, values: &mut Bindings) -> Result<()> {
    match (&port.kind, view) {
        (PortKind::Tensor(port_kind), InputView::Tensor { dtype, sizes }) => {
            tensor(port, port_kind, *dtype, sizes, values)
        }
        (PortKind::Int(Some(Expr::Int(expected))), InputView::Int(value)) if expected != value => {
            Err(port.refuse(format!("it is {value}, expected {expected}")))
        }
        (PortKind::Int(Some(expr)), InputView::Int(value)) => {
            values.extend((!matches!(expr, Expr::Int(_))).then_some(Some(*value)));
            Ok(())
        }
        (PortKind::Int(_), InputView::Int(_))
        | (PortKind::Float(_), InputView::Float(_))
        | (PortKind::Bool(_), InputView::Bool(_))
        | (PortKind::Object { .. }, InputView::Object)
        | (PortKind::Unknown, InputView::Tensor { .. })
        | (PortKind::Constant(_), InputView::Exported) => Ok(()),
        (PortKind::Constant(constant), view) if is_constant(constant, view) => Ok(()),
        (expected, view) => {
            Err(port.refuse(format!("expected {}, got {}", kind_name(expected), view_name(view))))
        }
    }
}

fn tensor(
    port: &Port,
    expected: &TensorPort,
    dtype: ScalarType,
    sizes: &[i64],
    values: &mut Bindings,
) -> Result<()> {
    if dtype != expected.dtype {
        return Err(port.refuse(format!("expected {}, got {dtype}", expected.dtype)));
    }
    if sizes.len() != expected.sizes.len() {
        return Err(port.refuse(format!(
            "expected {} dimensions, got {}",
            expected.sizes.len(),
            sizes.len()
        )));
    }
    for (dim, (expected, size)) in expected.sizes.iter().zip(sizes).enumerate() {
        match expected {
            Dim::Fixed(expected) if expected != size => {
                return Err(port.refuse(format!("dimension {dim} is {size}, expected {expected}")));
            }
            Dim::Fixed(_) => {}
            Dim::Expr(_) => values.push(Some(*size)),
        }
    }
    Ok(())
}

pub(super) fn within(value: i64, min: Option<i64>, max: Option<i64>) -> bool {
    min.is_none_or(|min| value >= min) && max.is_none_or(|max| value <= max)
}
