//! Checks what a caller gives against the interface, on every call: numbers, kinds, element types, ranks, sizes,
//! ranges, and the equalities between sizes. A check that passes allocates nothing but the symbols' values.

use super::checks::{Derived, symbolic};
use super::expr::Expr;
use super::guard::Guard;
use super::interface::{Dim, Interface, Port, PortKind, Range, TensorPort};
use super::schema::ScalarType;
use super::symbol::SymbolId;
use super::view::{InputView, is_constant, kind_name, view_name};
use crate::error::{Error, Result};

/// The values of the symbols in one call, by number. A symbol that no input determines has none.
pub type Bindings = Vec<Option<i64>>;

impl Interface {
    /// Refuses inputs that the program was not exported for; else gives the values of the symbols.
    pub fn check(&self, given: &[InputView]) -> Result<Bindings> {
        if given.len() != self.inputs.len() {
            return Err(Error::InputCount { expected: self.inputs.len(), found: given.len() });
        }
        let mut call = Call { interface: self, given, bindings: vec![None; self.symbols.len()] };
        for (port, view) in self.inputs.iter().zip(given) {
            call.input(port, view)?;
        }
        self.checks.derived.iter().try_for_each(|derived| call.derived(derived))?;
        self.checks.ranges.iter().try_for_each(|(input, range)| call.range(*input, range))?;
        self.checks.guards.iter().try_for_each(|guard| call.guard(guard))?;
        Ok(call.bindings)
    }
}

/// One call's inputs, and the symbols' values as far as they are known.
struct Call<'a> {
    interface: &'a Interface,
    given: &'a [InputView<'a>],
    bindings: Bindings,
}

impl Call<'_> {
    fn input(&mut self, port: &Port, view: &InputView) -> Result<()> {
        match (&port.kind, view) {
            (PortKind::Tensor(tensor), InputView::Tensor { dtype, sizes }) => {
                self.tensor(port, tensor, *dtype, sizes)
            }
            (PortKind::Int(Some(Expr::Symbol(id))), InputView::Int(value)) => {
                self.bind(port, None, *id, *value)
            }
            (PortKind::Int(Some(Expr::Int(expected))), InputView::Int(value)) if expected != value => {
                Err(port.refuse(format!("it is {value}, expected {expected}")))
            }
            (PortKind::Int(_), InputView::Int(_))
            | (PortKind::Float(_), InputView::Float(_))
            | (PortKind::Bool(_), InputView::Bool(_))
            | (PortKind::Object { .. }, InputView::Object)
            | (PortKind::Untold, InputView::Tensor { .. })
            | (PortKind::Constant(_), InputView::Exported) => Ok(()),
            (PortKind::Constant(constant), view) if is_constant(constant, view) => Ok(()),
            (expected, view) => {
                Err(port.refuse(format!("expected {}, got {}", kind_name(expected), view_name(view))))
            }
        }
    }

    fn tensor(&mut self, port: &Port, tensor: &TensorPort, dtype: ScalarType, sizes: &[i64]) -> Result<()> {
        if dtype != tensor.dtype {
            return Err(port.refuse(format!("expected {}, got {dtype}", tensor.dtype)));
        }
        if sizes.len() != tensor.sizes.len() {
            return Err(port.refuse(format!(
                "expected {} dimensions, got {}",
                tensor.sizes.len(),
                sizes.len()
            )));
        }
        for (dim, (expected, size)) in tensor.sizes.iter().zip(sizes).enumerate() {
            match expected {
                Dim::Fixed(expected) if expected != size => {
                    return Err(port.refuse(format!("dimension {dim} is {size}, expected {expected}")));
                }
                Dim::Expr(Expr::Symbol(id)) => self.bind(port, Some(dim), *id, *size)?,
                Dim::Fixed(_) | Dim::Expr(_) => {}
            }
        }
        Ok(())
    }

    fn bind(&mut self, port: &Port, dim: Option<usize>, id: SymbolId, value: i64) -> Result<()> {
        let bound = self.bindings.get_mut(id.index());
        match bound {
            Some(Some(bound)) if *bound == value => Ok(()),
            Some(Some(bound)) => {
                let bound = *bound;
                Err(self.differs(port, dim, id, value, bound))
            }
            Some(free) => {
                *free = Some(value);
                self.in_range(port, dim, id, value)
            }
            None => Ok(()),
        }
    }

    fn in_range(&self, port: &Port, dim: Option<usize>, id: SymbolId, value: i64) -> Result<()> {
        let Some(symbol) = self.interface.symbols.get(id.index()) else { return Ok(()) };
        match within(value, symbol.min, symbol.max) {
            true => Ok(()),
            false => Err(port.refuse(format!(
                "{} is {value}, outside {} (symbol {})",
                place(dim),
                bounds(symbol.min, symbol.max),
                symbol.name
            ))),
        }
    }

    fn differs(&self, port: &Port, dim: Option<usize>, id: SymbolId, value: i64, bound: i64) -> Error {
        let first = self.interface.inputs.iter().find_map(|other| {
            let (dim, _) = symbolic(other).find(|(_, expr)| expr.as_symbol() == Some(id))?;
            Some(match dim {
                Some(dim) => format!("{} dimension {dim}", other.name),
                None => other.name.clone(),
            })
        });
        let (name, first) = (self.interface.names.name(id), first.unwrap_or_default());
        port.refuse(format!("{} is {value} but {first} (the same symbol {name}) is {bound}", place(dim)))
    }

    /// The value that the caller gave for a derived size or int, and the input it came with.
    fn value(&self, derived: &Derived) -> Option<(&Port, i64)> {
        let value = match (self.given.get(derived.input)?, derived.dim) {
            (InputView::Tensor { sizes, .. }, Some(dim)) => *sizes.get(dim)?,
            (InputView::Int(value), None) => *value,
            _ => return None,
        };
        Some((self.interface.inputs.get(derived.input)?, value))
    }

    fn derived(&mut self, derived: &Derived) -> Result<()> {
        let Some((port, value)) = self.value(derived) else { return Ok(()) };
        if let Some(linear) = &derived.solve {
            return match linear.solve(value) {
                Some(solution) => {
                    let in_range = self.in_range_of(port, derived, linear.symbol, value, solution);
                    self.bindings
                        .get_mut(linear.symbol.index())
                        .into_iter()
                        .for_each(|s| *s = Some(solution));
                    in_range
                }
                None => Err(port.refuse(format!(
                    "{} is {value}, which {} cannot be",
                    place(derived.dim),
                    derived.expr.display(&self.interface.names)
                ))),
            };
        }
        match derived.expr.eval_int(&self.bindings) {
            Ok(expected) if expected == value => Ok(()),
            Ok(expected) => Err(port.refuse(format!(
                "{} is {value}, expected {expected} ({})",
                place(derived.dim),
                derived.expr.display(&self.interface.names)
            ))),
            Err(error) => Err(port.refuse(format!(
                "{} has to be {}: {error}",
                place(derived.dim),
                derived.expr.display(&self.interface.names)
            ))),
        }
    }

    fn in_range_of(
        &self,
        port: &Port,
        derived: &Derived,
        id: SymbolId,
        value: i64,
        solution: i64,
    ) -> Result<()> {
        let Some(symbol) = self.interface.symbols.get(id.index()) else { return Ok(()) };
        match within(solution, symbol.min, symbol.max) {
            true => Ok(()),
            false => Err(port.refuse(format!(
                "{} is {value}, so that symbol {} in {} is {solution}, outside {}",
                place(derived.dim),
                symbol.name,
                derived.expr.display(&self.interface.names),
                bounds(symbol.min, symbol.max)
            ))),
        }
    }

    fn range(&self, input: usize, range: &Range) -> Result<()> {
        let Some(port) = self.interface.inputs.get(input) else { return Ok(()) };
        let shown = range.expr.display(&self.interface.names);
        match range.expr.eval_int(&self.bindings) {
            Ok(value) if within(value, range.min, range.max) => Ok(()),
            Ok(value) => {
                Err(port.refuse(format!("{shown} is {value}, outside {}", bounds(range.min, range.max))))
            }
            Err(error) => Err(port.refuse(format!("{shown} cannot be computed: {error}"))),
        }
    }

    fn guard(&self, guard: &Guard) -> Result<()> {
        let Some(port) = self.interface.inputs.get(guard.input) else { return Ok(()) };
        match guard.expr.eval_bool(&self.bindings) {
            Ok(true) => Ok(()),
            Ok(false) => Err(port.refuse(format!("the program needs `{}`, which does not hold", guard.text))),
            Err(error) => Err(port.refuse(format!("the program needs `{}`: {error}", guard.text))),
        }
    }
}

fn within(value: i64, min: Option<i64>, max: Option<i64>) -> bool {
    min.is_none_or(|min| value >= min) && max.is_none_or(|max| value <= max)
}

fn bounds(min: Option<i64>, max: Option<i64>) -> String {
    let text = |bound: Option<i64>| bound.map(|bound| bound.to_string()).unwrap_or_default();
    format!("{}..{}", text(min), text(max))
}

fn place(dim: Option<usize>) -> String {
    dim.map_or_else(|| "it".to_owned(), |dim| format!("dimension {dim}"))
}
