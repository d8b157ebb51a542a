//! Checks what a caller gives against the interface, on every call: numbers, kinds, element types, ranks, sizes,
//! ranges, and the equalities between sizes. A check that passes allocates nothing but the symbols' values.

use super::expr::Expr;
use super::guard::{Guard, Guards};
use super::interface::{Dim, Interface, Port, PortKind, Range, TensorPort};
use super::linear::Linear;
use super::schema::{ConstantValue, ScalarType};
use super::symbol::{SymbolId, Symbols};
use crate::error::{Error, Result};

/// What a caller gives for one input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum InputView<'a> {
    /// Python's None.
    None,
    /// A tensor.
    Tensor {
        /// Its element type.
        dtype: ScalarType,
        /// Its sizes.
        sizes: &'a [i64],
    },
    /// An int.
    Int(i64),
    /// A float.
    Float(f64),
    /// A bool.
    Bool(bool),
    /// A string.
    String(&'a str),
    /// An object of a registered class.
    Object,
    /// The value the program was exported with. Only a constant has one.
    Exported,
}

/// The values of the symbols in one call, by number. A symbol that no input determines has none.
pub type Bindings = Vec<Option<i64>>;

/// What is decided once so that each call need not.
#[derive(Clone, Debug, Default)]
pub(super) struct Checks {
    /// The sizes and ints that are more than a symbol, in an order in which each can be solved or computed.
    derived: Vec<Derived>,
    /// Ranges of expressions that are more than a symbol, each with an input to blame.
    ranges: Vec<(usize, Range)>,
    /// Conditions of the program, each with an input to blame.
    guards: Vec<Guard>,
}

/// A size or int that is an expression.
#[derive(Clone, Debug)]
struct Derived {
    input: usize,
    /// Nothing for an int.
    dim: Option<usize>,
    expr: Expr,
    /// How its one symbol follows from it, where nothing before told that symbol.
    solve: Option<Linear>,
}

impl Checks {
    /// Decides the order of the checks, and which guards cannot be checked.
    pub(super) fn plan(
        inputs: &[Port],
        names: &Symbols,
        ranges: Vec<Range>,
        guards: &[String],
        parameters: &[String],
    ) -> (Checks, Vec<String>) {
        let mut known = vec![false; names.names().len()];
        let mut waiting = Vec::new();
        for (place, input) in inputs.iter().enumerate() {
            for (dim, expr) in symbolic(input) {
                match expr.as_symbol().and_then(|id| known.get_mut(id.index())) {
                    Some(known) => *known = true,
                    None => waiting.push(Derived { input: place, dim, expr: expr.clone(), solve: None }),
                }
            }
        }
        let derived = order(waiting, &mut known);
        let owners = Owners::of(inputs, known);
        let derives = |range: &Range| range.expr.as_symbol().is_none();
        let ranges =
            ranges.into_iter().filter(derives).filter_map(|range| Some((owners.find(&range.expr)?, range)));
        let ranges = ranges.collect();
        let (guards, unchecked) = Guards::new(inputs, parameters, &owners).read(guards, names);
        (Checks { derived, ranges, guards }, unchecked)
    }
}

/// The first input that has each symbol which the inputs determine.
pub(super) struct Owners(Vec<Option<usize>>);

impl Owners {
    fn of(inputs: &[Port], known: Vec<bool>) -> Owners {
        let mut owners = vec![None; known.len()];
        for (place, input) in inputs.iter().enumerate() {
            for (_, expr) in symbolic(input) {
                expr.each_symbol(&mut |id| {
                    if let Some(owner) =
                        owners.get_mut(id.index()).filter(|_| known.get(id.index()) == Some(&true))
                    {
                        *owner = owner.or(Some(place));
                    }
                });
            }
        }
        Owners(owners)
    }

    /// The input to blame when the expression's value is wrong; none if the inputs do not determine it.
    pub(super) fn find(&self, expr: &Expr) -> Option<usize> {
        let mut first = Some(None);
        expr.each_symbol(&mut |id| {
            let owner = self.0.get(id.index()).copied().flatten();
            first = first.take().zip(owner).map(|(first, owner)| first.or(Some(owner)));
        });
        first.map(|first| first.unwrap_or(0))
    }
}

/// The sizes, or the int, of an input that depend on symbols.
fn symbolic(input: &Port) -> impl Iterator<Item = (Option<usize>, &Expr)> {
    let (dims, int): (&[Dim], _) = match &input.kind {
        PortKind::Tensor(tensor) => (&tensor.sizes, None),
        PortKind::Int(expr) => (&[], expr.as_ref()),
        _ => (&[], None),
    };
    let dims = dims.iter().enumerate().filter_map(|(dim, size)| match size {
        Dim::Expr(expr) => Some((Some(dim), expr)),
        Dim::Fixed(_) => None,
    });
    dims.chain(int.map(|expr| (None, expr)))
}

/// First whatever can be computed or solved from what is known, again and again; what is left stays unchecked.
fn order(mut waiting: Vec<Derived>, known: &mut [bool]) -> Vec<Derived> {
    let mut ordered = Vec::with_capacity(waiting.len());
    for _ in 0..MAX_ROUNDS {
        let mut left = Vec::new();
        for mut derived in waiting {
            if let Some(unknown) = first_unknown(&derived.expr, known) {
                derived.solve = Linear::of(&derived.expr).filter(|linear| linear.symbol == unknown);
                if derived.solve.is_none() {
                    left.push(derived);
                    continue;
                }
                known.get_mut(unknown.index()).into_iter().for_each(|known| *known = true);
            }
            ordered.push(derived);
        }
        waiting = left;
        if waiting.is_empty() {
            break;
        }
    }
    ordered
}

/// Symbols of which each can only be solved after the one before: none were seen in longer rows than two.
const MAX_ROUNDS: usize = 8;

fn first_unknown(expr: &Expr, known: &[bool]) -> Option<SymbolId> {
    let mut unknown = None;
    expr.each_symbol(&mut |id| {
        if known.get(id.index()) != Some(&true) {
            unknown = unknown.or(Some(id));
        }
    });
    unknown
}

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

fn is_constant(constant: &ConstantValue, view: &InputView) -> bool {
    match (constant, view) {
        (ConstantValue::None, InputView::None) => true,
        (ConstantValue::Int(constant), InputView::Int(value)) => constant == value,
        (ConstantValue::Bool(constant), InputView::Bool(value)) => constant == value,
        (ConstantValue::String(constant), InputView::String(value)) => constant == value,
        (ConstantValue::Float(constant), InputView::Float(value)) => {
            constant == value || (constant.is_nan() && value.is_nan())
        }
        _ => false,
    }
}

fn kind_name(kind: &PortKind) -> String {
    match kind {
        PortKind::Tensor(tensor) => format!("a {} tensor", tensor.dtype),
        PortKind::Int(_) => "an int".into(),
        PortKind::Float(_) => "a float".into(),
        PortKind::Bool(_) => "a bool".into(),
        PortKind::Constant(ConstantValue::None) => "None".into(),
        PortKind::Constant(ConstantValue::Int(value)) => format!("the constant {value}"),
        PortKind::Constant(ConstantValue::Float(value)) => format!("the constant {value:?}"),
        PortKind::Constant(ConstantValue::Bool(true)) => "the constant True".into(),
        PortKind::Constant(ConstantValue::Bool(false)) => "the constant False".into(),
        PortKind::Constant(ConstantValue::String(value)) => format!("the constant {value:?}"),
        PortKind::Object { class } => format!("an object of {class}"),
    }
}

fn view_name(view: &InputView) -> String {
    match view {
        InputView::None => "None".into(),
        InputView::Tensor { dtype, .. } => format!("a {dtype} tensor"),
        InputView::Int(value) => format!("the int {value}"),
        InputView::Float(value) => format!("the float {value:?}"),
        InputView::Bool(true) => "the bool True".into(),
        InputView::Bool(false) => "the bool False".into(),
        InputView::String(value) => format!("the string {value:?}"),
        InputView::Object => "an object".into(),
        InputView::Exported => "nothing".into(),
    }
}
