//! Decides once, when a program is read, what each call has to check and in which order.

use super::expr::Expr;
use super::guard::{Guard, Guards};
use super::interface::{Dim, Port, PortKind, Range};
use super::linear::Linear;
use super::symbol::{SymbolId, Symbols};

/// What is decided once so that each call need not.
#[derive(Clone, Debug, Default)]
pub(super) struct Checks {
    /// The sizes and ints that are more than a symbol, in an order in which each can be solved or computed.
    pub derived: Vec<Derived>,
    /// Ranges of expressions that are more than a symbol, each with an input to blame.
    pub ranges: Vec<(usize, Range)>,
    /// Conditions of the program, each with an input to blame.
    pub guards: Vec<Guard>,
}

/// A size or int that is an expression.
#[derive(Clone, Debug)]
pub(super) struct Derived {
    /// The input.
    pub input: usize,
    /// Nothing for an int.
    pub dim: Option<usize>,
    /// What it is.
    pub expr: Expr,
    /// How its one symbol follows from it, where nothing before told that symbol.
    pub solve: Option<Linear>,
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
pub(super) fn symbolic(input: &Port) -> impl Iterator<Item = (Option<usize>, &Expr)> {
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
