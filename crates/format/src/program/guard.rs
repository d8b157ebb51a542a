//! Parses a program's guards: `guards_code`, Python text about input sources, written since PyTorch
//! 2.9.
//!
//! `L['x'].size()[0]` is dimension 0 of `forward`'s parameter `x`.

use std::collections::HashMap;

use super::condition::{Guard, GuardOrigin};
use super::expr::Expr;
use super::input_check_plan::Recorded;
use super::input_source::InputSources;
use super::interface::{Dim, Port, PortKind};
use super::schema::ConstantValue;
use super::symbol::Symbols;

/// Returns the guards that can be checked, and the text of the others.
pub(super) fn read(recorded: &Recorded, places: &InputSources) -> (Vec<Guard>, Vec<String>) {
    if recorded.guards.is_empty() {
        return (Vec::new(), Vec::new());
    }
    let reader = GuardParser::new(recorded.inputs, recorded.parameters, places);
    let (mut guards, mut unchecked) = (Vec::new(), Vec::new());
    let mut names = places.names(recorded.names);
    for text in recorded.guards {
        match reader.guard(text, &mut names) {
            Some(guard) => guards.push(guard),
            None => unchecked.push(text.clone()),
        }
    }
    (guards, unchecked)
}

/// Limit on the bytes of all input names. Inputs of one long parameter repeat its name.
const MAX_NAMES: usize = 1 << 24;

/// Parser of guards, with the inputs that guards may name.
struct GuardParser<'a> {
    /// The inputs by their names in guards.
    inputs: HashMap<String, (usize, &'a PortKind)>,
    places: &'a InputSources,
}

impl<'a> GuardParser<'a> {
    /// Creates a parser. `parameters` holds the names of `forward`'s parameters.
    fn new(inputs: &'a [Port], parameters: &[String], places: &'a InputSources) -> Self {
        let names = inputs.iter().enumerate().flat_map(|(place, port)| {
            let flat = format!("L['flat_args'][{place}]");
            let names = [Some(flat), source(&port.name, parameters), variadic(&port.name, parameters)];
            names.into_iter().flatten().map(move |name| (name, (place, &port.kind)))
        });
        let mut bytes = 0;
        let within = names.take_while(|(name, _): &(String, _)| {
            bytes += name.len();
            bytes <= MAX_NAMES
        });
        GuardParser { inputs: within.collect(), places }
    }

    fn guard(&self, text: &str, names: &mut Symbols) -> Option<Guard> {
        let expr = Expr::parse_with(text, names, &|place| self.place(place)).ok()?;
        let mut known = true;
        expr.each_symbol(&mut |id| known &= self.places.number(id).is_some());
        known.then(|| Guard {
            place: self.places.first(&expr),
            text: text.to_owned(),
            expr,
            origin: GuardOrigin::Guards,
        })
    }

    /// Resolves an input source such as `L['pair'][0].size()[1]` to an expression.
    fn place(&self, text: &str) -> Option<Expr> {
        let (source, dim) = match text.rsplit_once(".size()[") {
            Some((source, dim)) => (source, Some(dim.strip_suffix(']')?.parse::<usize>().ok()?)),
            None => (text, None),
        };
        let (input, kind) = *self.inputs.get(source)?;
        let varies = || self.places.find(input, dim).map(|place| self.places.expr(place));
        match (kind, dim) {
            (PortKind::Tensor(tensor), Some(dim)) => match tensor.sizes.get(dim)? {
                Dim::Fixed(size) => Some(Expr::Int(*size)),
                Dim::Expr(_) => varies(),
            },
            (PortKind::Int(Some(Expr::Int(value))), None)
            | (PortKind::Constant(ConstantValue::Int(value)), None) => Some(Expr::Int(*value)),
            (PortKind::Int(_), None) => varies(),
            _ => None,
        }
    }
}

/// Returns the name in guards for the path of an input: `args[1][0]` is `L['y'][0]`. With
/// `strict=True` guards number the leaves instead: `L['flat_args'][1]` (`_force_ep_signature_match`
/// in `torch/export/_unlift.py` 2.11).
fn source(path: &str, parameters: &[String]) -> Option<String> {
    if let Some(keyword) = path.strip_prefix("kwargs") {
        return Some(format!("L{}", keyword.replace('"', "'")));
    }
    let (parameter, rest) = positional(path, parameters)?;
    Some(format!("L['{parameter}']{rest}"))
}

/// Returns the name in guards for an argument of `*xs`. The parameters are called `xs_0` and
/// `xs_1`; the guards contain `L['xs'][0]` (`_force_gm_signature_match` in the same file).
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
