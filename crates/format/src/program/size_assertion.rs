//! Size assertions: `aten::_assert_scalar` nodes whose condition depends only on the sizes and ints
//! of the inputs, such as the relations of a `ShapesSpec` (PyTorch 2.14) and `torch._check`.
//!
//! The input check verifies them before a call runs, so that the error names the input. Conditions
//! on computed values are left to the nodes.

use std::collections::HashMap;

use super::condition::{Guard, GuardOrigin};
use super::expr::Expr;
use super::expr_function::ExprFunction;
use super::input_source::InputSources;
use super::interface::{Dim, Port, PortKind};
use super::schema::{Argument, Graph, Node, SymBoolArgument, SymIntArgument};

/// Returns the size assertions of a graph, in execution order.
pub(super) fn collect(graph: &Graph, inputs: &[Port], places: &InputSources) -> Vec<Guard> {
    let asserts = |node: &&Node| node.target == "torch.ops.aten._assert_scalar.default";
    if places.list().is_empty() || !graph.nodes.iter().any(|node| asserts(&node)) {
        return Vec::new();
    }
    let collector = Collector::new(graph, inputs, places);
    graph.nodes.iter().filter(asserts).filter_map(|node| collector.assertion(node)).collect()
}

/// Limit on the operands of one assertion. Expressions of the graph share their operands, so a
/// condition can be exponentially larger than the graph.
const MAX_OPERANDS: usize = 64;

/// Limit on the depth of one assertion, far below [`MAX_DEPTH`](super::expr_parser::MAX_DEPTH).
const MAX_DEPTH: usize = 16;

/// Builder of expressions of input sources from nodes that compute with sizes.
struct Collector<'a> {
    /// The inputs by their names in the graph.
    inputs: HashMap<&'a str, (usize, &'a PortKind)>,
    /// The nodes that compute a single int or bool, by the name of the result.
    scalars: HashMap<&'a str, &'a Node>,
    places: &'a InputSources,
}

impl<'a> Collector<'a> {
    fn new(graph: &'a Graph, inputs: &'a [Port], places: &'a InputSources) -> Self {
        let by_name = |(index, port): (usize, &'a Port)| (port.value.as_str(), (index, &port.kind));
        let result = |node: &'a Node| match node.outputs.as_slice() {
            [
                Argument::SymInt(SymIntArgument::Name(name)) | Argument::SymBool(SymBoolArgument::Name(name)),
            ] => Some((name.as_str(), node)),
            _ => None,
        };
        Collector {
            inputs: inputs.iter().enumerate().map(by_name).collect(),
            scalars: graph.nodes.iter().filter_map(result).collect(),
            places,
        }
    }

    fn assertion(&self, node: &Node) -> Option<Guard> {
        let expr = self.argument(&node.inputs.first()?.arg, MAX_DEPTH, &mut MAX_OPERANDS.clone())?;
        let message = node.inputs.iter().find_map(|input| match &input.arg {
            Argument::String(text) => Some(text.as_str()),
            _ => None,
        });
        let place = Some(self.places.first(&expr)?);
        let (text, origin) = (condition(message.unwrap_or_default()).to_owned(), GuardOrigin::Assertion);
        Some(Guard { place, expr, text, origin })
    }

    /// Returns the expression of an int or bool. `operands` is the number of operands left.
    fn argument(&self, argument: &Argument, depth: usize, operands: &mut usize) -> Option<Expr> {
        *operands = operands.checked_sub(1)?;
        match argument {
            Argument::Int(value) | Argument::SymInt(SymIntArgument::Int(value)) => Some(Expr::Int(*value)),
            Argument::Bool(value) | Argument::SymBool(SymBoolArgument::Bool(value)) => {
                Some(Expr::Bool(*value))
            }
            Argument::SymInt(SymIntArgument::Name(name)) | Argument::SymBool(SymBoolArgument::Name(name)) => {
                self.value(name, depth.checked_sub(1)?, operands)
            }
            _ => None,
        }
    }

    fn value(&self, name: &str, depth: usize, operands: &mut usize) -> Option<Expr> {
        if let Some((input, kind)) = self.inputs.get(name) {
            return match kind {
                PortKind::Int(Some(Expr::Int(value))) => Some(Expr::Int(*value)),
                PortKind::Int(_) => self.places.find(*input, None).map(|place| self.places.expr(place)),
                _ => None,
            };
        }
        let node = self.scalars.get(name)?;
        if node.target == "torch.ops.aten.sym_size.int" {
            return self.size(node);
        }
        let function = function(node)?;
        let arguments = node.inputs.iter().map(|input| self.argument(&input.arg, depth, operands));
        Some(call(function, arguments.collect::<Option<_>>()?))
    }

    /// Returns the size of an input, if the node reads one.
    fn size(&self, node: &Node) -> Option<Expr> {
        let [tensor, dim] = node.inputs.as_slice() else { return None };
        let (Argument::Tensor(tensor), Argument::Int(dim)) = (&tensor.arg, &dim.arg) else { return None };
        let (input, PortKind::Tensor(port)) = self.inputs.get(tensor.name.as_str())? else { return None };
        let dim = if *dim < 0 { dim.checked_add(i64::try_from(port.sizes.len()).ok()?)? } else { *dim };
        let dim = usize::try_from(dim).ok()?;
        match port.sizes.get(dim)? {
            Dim::Fixed(size) => Some(Expr::Int(*size)),
            Dim::Expr(_) => self.places.find(*input, Some(dim)).map(|place| self.places.expr(place)),
        }
    }
}

/// Returns the function of a node on ints and bools, if it has the right number of operands.
fn function(node: &Node) -> Option<ExprFunction> {
    use ExprFunction::*;
    let bools = node.inputs.iter().all(|input| matches!(input.arg, Argument::SymBool(_) | Argument::Bool(_)));
    let (function, operands) = match node.target.as_str() {
        "_operator.add" => (Add, 2),
        "_operator.sub" => (Sub, 2),
        "_operator.mul" => (Mul, 2),
        "_operator.floordiv" => (FloorDiv, 2),
        "_operator.mod" => (Mod, 2),
        "_operator.neg" => (Neg, 1),
        "_operator.eq" => (Eq, 2),
        "_operator.ne" => (Ne, 2),
        "_operator.lt" => (Lt, 2),
        "_operator.le" => (Le, 2),
        "_operator.gt" => (Gt, 2),
        "_operator.ge" => (Ge, 2),
        "_operator.and_" if bools => (And, 2),
        "_operator.or_" if bools => (Or, 2),
        "_operator.not_" | "torch.sym_not" => (Not, 1),
        "torch.sym_min" => (Min, 2),
        "torch.sym_max" => (Max, 2),
        _ => return None,
    };
    (node.inputs.len() == operands).then_some(function)
}

/// Returns a call. A negated comparison becomes the opposite one.
fn call(function: ExprFunction, mut arguments: Vec<Expr>) -> Expr {
    use ExprFunction::*;
    if let (Not, [Expr::Call(inner, sides)]) = (function, arguments.as_mut_slice()) {
        let opposite = match inner {
            Eq => Some(Ne),
            Ne => Some(Eq),
            Lt => Some(Ge),
            Le => Some(Gt),
            Gt => Some(Le),
            Ge => Some(Lt),
            _ => None,
        };
        if let Some(opposite) = opposite {
            return Expr::Call(opposite, std::mem::take(sides));
        }
    }
    Expr::Call(function, arguments)
}

/// Returns the condition inside PyTorch's message, or the whole message if it has another form
/// (`insert_deferred_runtime_asserts` in `torch/fx/passes/runtime_assert.py`, 2.6 to 2.15).
fn condition(message: &str) -> &str {
    let inner = message.strip_prefix("Runtime assertion failed for expression ");
    inner.and_then(|text| text.rsplit_once(" on node ")).map_or(message, |(text, _)| text)
}
