//! Input sources: dimensions of tensors, and ints, whose values differ from call to call.

use super::expr::Expr;
use super::interface::{Dim, Port, PortKind};
use super::symbol::{SymbolId, Symbols};

/// A dimension of a tensor input, or an int input.
#[derive(Clone, Debug)]
pub(super) struct InputSource {
    /// The input.
    pub input: usize,
    /// The dimension. None for an int.
    pub dim: Option<usize>,
    /// The value in the program's symbols.
    pub expr: Expr,
}

/// All input sources, in the order of the inputs. Conditions on a call are expressions of input
/// sources, which are numbered as symbols after the program's own.
#[derive(Clone, Debug, Default)]
pub(super) struct InputSources {
    list: Vec<InputSource>,
    /// The number of the program's symbols.
    symbols: usize,
}

impl InputSources {
    /// Collects the input sources of a program with so many symbols.
    pub fn of(inputs: &[Port], symbols: usize) -> InputSources {
        let places = inputs.iter().enumerate().flat_map(|(input, port)| {
            symbolic(port).map(move |(dim, expr)| InputSource { input, dim, expr: expr.clone() })
        });
        InputSources { list: places.collect(), symbols }
    }

    /// Returns all input sources.
    pub fn list(&self) -> &[InputSource] {
        &self.list
    }

    /// Returns the input source with this index.
    pub fn get(&self, place: usize) -> Option<&InputSource> {
        self.list.get(place)
    }

    /// Returns the index of the input source that a symbol represents. None for a symbol of the
    /// program.
    pub fn number(&self, id: SymbolId) -> Option<usize> {
        id.index().checked_sub(self.symbols).filter(|place| *place < self.list.len())
    }

    /// Returns the symbol that represents an input source.
    pub fn symbol(&self, place: usize) -> SymbolId {
        SymbolId(u32::try_from(self.symbols + place).unwrap_or(u32::MAX))
    }

    /// Returns an input source as an expression.
    pub fn expr(&self, place: usize) -> Expr {
        Expr::Symbol(self.symbol(place))
    }

    /// Returns the index of an input's dimension, or of an int input.
    pub fn find(&self, input: usize, dim: Option<usize>) -> Option<usize> {
        let key = |place: &InputSource| (place.input, place.dim);
        self.list.binary_search_by_key(&(input, dim), key).ok()
    }

    /// Returns the first input source in an expression.
    pub fn first(&self, expr: &Expr) -> Option<usize> {
        let mut first = None;
        expr.each_symbol(&mut |id| first = first.or(self.number(id)));
        first
    }

    /// Returns the program's symbols followed by one for each input source.
    pub fn names(&self, symbols: &Symbols) -> Symbols {
        let mut names = symbols.clone();
        self.list.iter().for_each(|_| names.push_unnamed());
        names
    }
}

/// Returns the sizes of an input that depend on symbols, or its int.
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
