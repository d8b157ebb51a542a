//! Input sources: the dimensions of tensors and the ints whose value differs from call to call.

use super::expr::Expr;
use super::interface::{Dim, Port, PortKind};
use super::symbol::{SymbolId, Symbols};

/// A dimension of a tensor input, or an int input.
#[derive(Clone, Debug)]
pub(super) struct InputSource {
    /// The input.
    pub input: usize,
    /// Nothing for an int.
    pub dim: Option<usize>,
    /// Its value in the program's symbols.
    pub expr: Expr,
}

/// All places, in the order of the inputs. Conditions on a call are expressions of places: each is a symbol that
/// follows the program's own.
#[derive(Clone, Debug, Default)]
pub(super) struct InputSources {
    list: Vec<InputSource>,
    /// How many symbols the program has.
    symbols: usize,
}

impl InputSources {
    /// Those of the inputs of a program with so many symbols.
    pub fn of(inputs: &[Port], symbols: usize) -> InputSources {
        let places = inputs.iter().enumerate().flat_map(|(input, port)| {
            symbolic(port).map(move |(dim, expr)| InputSource { input, dim, expr: expr.clone() })
        });
        InputSources { list: places.collect(), symbols }
    }

    /// Every place.
    pub fn list(&self) -> &[InputSource] {
        &self.list
    }

    /// The place with this number.
    pub fn get(&self, place: usize) -> Option<&InputSource> {
        self.list.get(place)
    }

    /// The number of the place that a symbol stands for; none for a symbol of the program.
    pub fn number(&self, id: SymbolId) -> Option<usize> {
        id.index().checked_sub(self.symbols).filter(|place| *place < self.list.len())
    }

    /// The symbol that stands for a place.
    pub fn symbol(&self, place: usize) -> SymbolId {
        SymbolId(u32::try_from(self.symbols + place).unwrap_or(u32::MAX))
    }

    /// The place as an expression.
    pub fn expr(&self, place: usize) -> Expr {
        Expr::Symbol(self.symbol(place))
    }

    /// The place of an input's dimension, or of an int input.
    pub fn find(&self, input: usize, dim: Option<usize>) -> Option<usize> {
        let key = |place: &InputSource| (place.input, place.dim);
        self.list.binary_search_by_key(&(input, dim), key).ok()
    }

    /// The first place that an expression of places speaks of.
    pub fn first(&self, expr: &Expr) -> Option<usize> {
        let mut first = None;
        expr.each_symbol(&mut |id| first = first.or(self.number(id)));
        first
    }

    /// The program's symbols followed by one for each place.
    pub fn names(&self, symbols: &Symbols) -> Symbols {
        let mut names = symbols.clone();
        self.list.iter().for_each(|_| names.push_unnamed());
        names
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
    dims.chain(int.filter(|expr| !matches!(expr, Expr::Int(_))).map(|expr| (None, expr)))
}
