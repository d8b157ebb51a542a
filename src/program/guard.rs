//! Owns the conditions that a program puts on its inputs: `guards_code`, Python text about places of the inputs.
//!
//! `L['x'].size()[0]` is dimension 0 of `forward`'s parameter `x`. The inputs already say what each dimension is in
//! symbols, so that a guard becomes an expression of symbols like any other. Written since PyTorch 2.9.

use std::cell::Cell;
use std::collections::HashMap;

use super::checks::Owners;
use super::expr::Expr;
use super::interface::{Dim, Port, PortKind};
use super::schema::ConstantValue;
use super::symbol::Symbols;
use super::text::MAX_PLACE;

/// A condition that can be checked.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    /// The condition.
    pub expr: Expr,
    /// Its Python text.
    pub text: String,
    /// The input to blame.
    pub input: usize,
}

/// What guards speak of.
pub(super) struct Guards<'a> {
    /// The inputs by the names that guards have for them.
    inputs: HashMap<String, &'a PortKind>,
    /// The inputs that determine the symbols.
    owners: &'a Owners,
    /// How many expressions the places of all guards may still stand for.
    left: Cell<usize>,
}

/// The most bytes that the names of all inputs take here. Inputs of one long parameter repeat its name.
const MAX_NAMES: usize = 1 << 24;

/// The most expressions that the places of all guards stand for together: each mention repeats a place's expression.
const MAX_PLACES: usize = 1 << 18;

impl<'a> Guards<'a> {
    /// `parameters` are the names of `forward`'s parameters.
    pub fn new(inputs: &'a [Port], parameters: &[String], owners: &'a Owners) -> Self {
        let names = inputs.iter().enumerate().flat_map(|(place, port)| {
            let flat = format!("L['flat_args'][{place}]");
            let names = [Some(flat), source(&port.name, parameters), variadic(&port.name, parameters)];
            names.into_iter().flatten().map(|name| (name, &port.kind))
        });
        let mut bytes = 0;
        let within = names.take_while(|(name, _): &(String, _)| {
            bytes += name.len();
            bytes <= MAX_NAMES
        });
        Guards { inputs: within.collect(), owners, left: Cell::new(MAX_PLACES) }
    }

    /// The guards that can be checked, and the text of those that cannot.
    pub fn read(&self, texts: &[String], names: &Symbols) -> (Vec<Guard>, Vec<String>) {
        let (mut guards, mut unchecked, mut names) = (Vec::new(), Vec::new(), names.clone());
        for text in texts {
            match self.guard(text, &mut names) {
                Some(guard) => guards.push(guard),
                None => unchecked.push(text.clone()),
            }
        }
        (guards, unchecked)
    }

    fn guard(&self, text: &str, names: &mut Symbols) -> Option<Guard> {
        let expr = Expr::parse_with(text, names, &|place| self.place(place)).ok()?;
        Some(Guard { input: self.owners.find(&expr)?, text: text.to_owned(), expr })
    }

    /// What a place is, such as `L['pair'][0].size()[1]`. None for places beyond the caps.
    fn place(&self, text: &str) -> Option<Expr> {
        let repeated = |expr: &Expr| {
            let (size, _) = expr.extent(MAX_PLACE)?;
            self.left.set(self.left.get().checked_sub(size)?);
            Some(expr.clone())
        };
        let (source, dim) = match text.rsplit_once(".size()[") {
            Some((source, dim)) => (source, Some(dim.strip_suffix(']')?.parse::<usize>().ok()?)),
            None => (text, None),
        };
        match (*self.inputs.get(source)?, dim) {
            (PortKind::Tensor(tensor), Some(dim)) => match tensor.sizes.get(dim)? {
                Dim::Fixed(size) => Some(Expr::Int(*size)),
                Dim::Expr(expr) => repeated(expr),
            },
            (PortKind::Int(expr), None) => repeated(expr.as_ref()?),
            (PortKind::Constant(ConstantValue::Int(value)), None) => Some(Expr::Int(*value)),
            _ => None,
        }
    }
}

/// The name that guards have for the path of an input: `args[1][0]` is `L['y'][0]`. With `strict=True` they count the
/// leaves instead: `L['flat_args'][1]` (`_force_ep_signature_match` in `torch/export/_unlift.py` 2.11).
fn source(path: &str, parameters: &[String]) -> Option<String> {
    if let Some(keyword) = path.strip_prefix("kwargs") {
        return Some(format!("L{}", keyword.replace('"', "'")));
    }
    let (parameter, rest) = positional(path, parameters)?;
    Some(format!("L['{parameter}']{rest}"))
}

/// The same for what `*xs` took: the parameters are called `xs_0`, `xs_1`, and guards say `L['xs'][0]`
/// (`_force_gm_signature_match` there).
fn variadic(path: &str, parameters: &[String]) -> Option<String> {
    let (parameter, rest) = positional(path, parameters)?;
    let (name, place) = parameter.rsplit_once('_')?;
    place.bytes().all(|b| b.is_ascii_digit()).then(|| format!("L['{name}'][{place}]{rest}"))
}

fn positional<'a>(path: &str, parameters: &'a [String]) -> Option<(&'a str, String)> {
    let (place, rest) = path.strip_prefix("args[")?.split_once(']')?;
    let parameter = parameters.get(place.parse::<usize>().ok()?)?;
    Some((parameter, rest.replace('"', "'")))
}
