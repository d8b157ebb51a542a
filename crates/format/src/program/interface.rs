//! Interface of a program: flat inputs and outputs in the order of the pytrees, and the symbols
//! with their ranges. Each input and output has a path name and its known properties.
//!
//! Gradients are outputs here, after the loss, in the order of the graph. PyTorch 2.11 writes such
//! programs, but its own `module()` fails on them, because gradients are not in the output pytree.

use std::collections::BTreeMap;

use super::condition::Guard;
use super::expr::Expr;
use super::expr_function::ExprFunction;
use super::input_check_plan::{CheckPlan, Recorded, Rules};
use super::input_source::InputSources;
use super::json::malformed;
use super::pytree::TreeSpec;
use super::range_constraints::{self, ASSUMED, ExprRange};
use super::schema::{
    Argument, ConstantValue, Device, ExportedProgram, Graph, InputSpec, Layout, OutputSpec, ScalarType,
    SymBool, SymExpr, SymFloat, SymInt, TensorArgument, TensorMeta,
};
use super::signature_check::{literal, name};
use super::size_assertion;
use super::symbol::{SymbolId, Symbols};
use crate::error::{Error, Result};

/// Inputs and outputs of a program for its caller.
#[derive(Clone, Debug)]
pub struct Interface {
    /// The inputs, in order.
    pub inputs: Vec<Port>,
    /// The outputs, in order.
    pub outputs: Vec<Port>,
    /// The symbols of sizes and ints. A [`SymbolId`](super::symbol::SymbolId) is an index into this
    /// list.
    pub symbols: Vec<Symbol>,
    /// The same symbols by name, for parsing and displaying expressions.
    pub names: Symbols,
    /// Conditions on the inputs that [`check`](Interface::check) cannot decide.
    pub unchecked_guards: Vec<String>,
    pub(super) checks: CheckPlan,
    pub(super) ranges: Vec<ExprRange>,
    pub(super) guards: Vec<String>,
    pub(super) assertions: Vec<Guard>,
    /// The names of `forward`'s parameters, as guards use them.
    pub(super) parameters: Vec<String>,
}

/// A size or int that differs from call to call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// The name, such as `s77`.
    pub name: String,
    /// The lower bound, if there is one.
    pub min: Option<i64>,
    /// The upper bound, if there is one.
    pub max: Option<i64>,
}

/// One input or output.
#[derive(Clone, Debug, PartialEq)]
pub struct Port {
    /// The path, such as `args[0]` or `result["logits"]`. Gradients of a training program are named
    /// after the parameter, `gradients["fc.weight"]`, or after the graph's input,
    /// `input_gradients["x"]`.
    pub name: String,
    /// The value of the graph. Empty for a constant.
    pub value: String,
    /// The kind and its properties.
    pub kind: PortKind,
}

/// Kind of an input or output.
#[derive(Clone, Debug, PartialEq)]
pub enum PortKind {
    /// A tensor.
    Tensor(TensorPort),
    /// An int, and its dependence on symbols.
    Int(Option<Expr>),
    /// A float, and its dependence on symbols.
    Float(Option<Expr>),
    /// A bool, and its dependence on symbols.
    Bool(Option<Expr>),
    /// A constant.
    Constant(ConstantValue),
    /// An object of a class registered with libtorch.
    Object {
        /// The class.
        class: String,
    },
    /// A tensor without recorded properties: compiled code without its program.
    Unknown,
}

/// Known properties of a tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorPort {
    /// The element type.
    pub dtype: ScalarType,
    /// The sizes.
    pub sizes: Vec<Dim>,
    /// The strides during export, in elements. The caller's strides may differ.
    pub strides: Vec<Dim>,
    /// The device during export.
    pub device: Device,
    /// The layout.
    pub layout: Layout,
}

/// A size or stride.
#[derive(Clone, Debug, PartialEq)]
pub enum Dim {
    /// Constant.
    Fixed(i64),
    /// Depends on symbols.
    Expr(Expr),
}

impl Interface {
    /// Builds the interface of a program whose signature fits its graph.
    pub fn of(program: &ExportedProgram) -> Result<Interface> {
        let trees = Trees::of(program)?;
        let mut reader = InterfaceReader { graph: &program.graph_module.graph, names: Symbols::default() };
        let inputs = reader.inputs(&program.graph_module.signature.input_specs, trees.inputs)?;
        let outputs = reader.outputs(&program.graph_module.signature.output_specs, trees.outputs)?;
        let mut names = reader.names;
        let ranges = range_constraints::read(&program.range_constraints, &mut names)?;
        let (guards, parameters) = (program.guards_code.clone(), trees.parameters);
        let places = InputSources::of(&inputs, names.names().len());
        let assertions = size_assertion::collect(&program.graph_module.graph, &inputs, &places);
        let (symbols, unchecked_guards, checks) = Default::default();
        let interface = Interface {
            inputs,
            outputs,
            symbols,
            names,
            unchecked_guards,
            checks,
            ranges,
            guards,
            assertions,
            parameters,
        };
        Ok(interface.under(Rules::default()))
    }

    /// Returns the same interface with the checks of `rules`.
    pub fn under(mut self, rules: Rules) -> Interface {
        let Interface { inputs, names, ranges, guards, assertions, parameters, .. } = &self;
        let (checks, unchecked) =
            CheckPlan::plan(&Recorded { inputs, names, ranges, guards, assertions, parameters }, rules);
        let mut symbols = range_constraints::symbols(names, ranges);
        if rules != Rules::Recorded {
            forget_assumed(&mut symbols, &checks.places, assertions);
        }
        (self.checks, self.unchecked_guards, self.symbols) = (checks, unchecked, symbols);
        self
    }
}

/// Hides lower bounds that are not checked: a size may be 0, and an int may have any value. Bounds
/// that an assertion enforces remain.
fn forget_assumed(symbols: &mut [Symbol], places: &InputSources, assertions: &[Guard]) {
    for (index, place) in places.list().iter().enumerate() {
        let symbol = place.expr.as_symbol().and_then(|id| symbols.get_mut(id.index()));
        if let Some(symbol) = symbol.filter(|symbol| symbol.min.is_some_and(|min| min <= ASSUMED)) {
            let asserted = assertions.iter().filter_map(|guard| lower_bound(guard, places.symbol(index)));
            symbol.min = asserted.max().max(place.dim.map(|_| 0));
        }
    }
}

/// Returns the lower bound of an input source, if the assertion is one.
fn lower_bound(assertion: &Guard, source: SymbolId) -> Option<i64> {
    match &assertion.expr {
        Expr::Call(ExprFunction::Ge, sides) => match sides.as_slice() {
            [left, Expr::Int(bound)] => (left.as_symbol() == Some(source)).then_some(*bound),
            _ => None,
        },
        _ => None,
    }
}

/// Names of all leaves of the pytrees.
struct Trees {
    inputs: Vec<String>,
    outputs: Vec<String>,
    /// The names of `forward`'s parameters, as guards use them.
    parameters: Vec<String>,
}

impl Trees {
    fn of(program: &ExportedProgram) -> Result<Trees> {
        let at = |field: &str| format!("module_call_graph[0].signature.{field}");
        let root = program.graph_module.module_call_graph.first();
        let signature = root.filter(|entry| entry.fqn.is_empty()).and_then(|entry| entry.signature.as_ref());
        let signature =
            signature.ok_or_else(|| malformed("module_call_graph", "the root module has no signature"))?;
        let fields = &program.graph_module.treespec_namedtuple_fields;
        let in_spec = TreeSpec::parse(&signature.in_spec, &at("in_spec"))?;
        let out_spec = TreeSpec::parse(&signature.out_spec, &at("out_spec"))?;
        Ok(Trees {
            inputs: in_spec.call_paths(fields).map_err(|reason| malformed(at("in_spec"), reason))?,
            outputs: out_spec
                .leaf_paths("result", fields)
                .map_err(|reason| malformed(at("out_spec"), reason))?,
            parameters: signature.forward_arg_names.clone().unwrap_or_default(),
        })
    }
}

struct InterfaceReader<'a> {
    graph: &'a Graph,
    names: Symbols,
}

impl InterfaceReader<'_> {
    fn inputs(&mut self, specs: &[InputSpec], paths: Vec<String>) -> Result<Vec<Port>> {
        let inputs: Vec<_> = specs.iter().filter_map(user_input).collect();
        same_count("in_spec", paths.len(), "inputs that the caller gives", inputs.len())?;
        paths.into_iter().zip(inputs).map(|(path, input)| self.input(path, input)).collect()
    }

    fn input(&mut self, path: String, input: UserInput<'_>) -> Result<Port> {
        match input {
            UserInput::Argument(argument) => self.port(path, argument),
            UserInput::Constant(value) => {
                Ok(Port { name: path, value: String::new(), kind: PortKind::Constant(value.clone()) })
            }
        }
    }

    fn outputs(&mut self, specs: &[OutputSpec], paths: Vec<String>) -> Result<Vec<Port>> {
        let in_tree =
            specs.iter().filter(|spec| matches!(user_output(spec), Some(UserOutput::Leaf(_)))).count();
        same_count("out_spec", paths.len(), "outputs that the caller gets", in_tree)?;
        let mut paths = paths.into_iter();
        let mut outputs = Vec::new();
        for output in specs.iter().filter_map(user_output) {
            outputs.push(match output {
                UserOutput::Leaf(argument) => self.port(paths.next().unwrap_or_default(), &argument)?,
                UserOutput::Gradient(path, argument) => self.port(path, &argument)?,
            });
        }
        Ok(outputs)
    }

    fn port(&mut self, path: String, argument: &Argument) -> Result<Port> {
        if let Some(value) = literal(argument) {
            return Ok(Port { name: path, value: String::new(), kind: PortKind::Constant(value) });
        }
        let value = name(argument)
            .ok_or_else(|| malformed(&path, "lists, graphs and the like cannot be given or taken"))?;
        let kind = self.kind(argument, value)?;
        Ok(Port { name: path, value: value.to_owned(), kind })
    }

    fn kind(&mut self, argument: &Argument, value: &str) -> Result<PortKind> {
        let graph = self.graph;
        Ok(match argument {
            Argument::Tensor(_) => PortKind::Tensor(
                self.tensor(described(&graph.tensor_values, "tensor_values", value)?, value)?,
            ),
            Argument::SymInt(_) => {
                PortKind::Int(Some(match described(&graph.sym_int_values, "sym_int_values", value)? {
                    SymInt::Int(value) => Expr::Int(*value),
                    SymInt::Expr(expr) => self.expr(expr, value)?,
                }))
            }
            Argument::SymFloat(_) => {
                PortKind::Float(Some(match described(&graph.sym_float_values, "sym_float_values", value)? {
                    SymFloat::Float(value) => Expr::Float(*value),
                    SymFloat::Expr(expr) => self.expr(expr, value)?,
                }))
            }
            Argument::SymBool(_) => {
                PortKind::Bool(Some(match described(&graph.sym_bool_values, "sym_bool_values", value)? {
                    SymBool::Bool(value) => Expr::Bool(*value),
                    SymBool::Expr(expr) => self.expr(expr, value)?,
                }))
            }
            Argument::CustomObj(object) => PortKind::Object { class: object.class_fqn.clone() },
            _ => return Err(malformed(value, "it is no tensor, number or object")),
        })
    }

    fn tensor(&mut self, meta: &TensorMeta, value: &str) -> Result<TensorPort> {
        if meta.sizes.len() != meta.strides.len() {
            return Err(malformed(tensor_at(value), "sizes and strides differ in number"));
        }
        let sizes = self.dims(&meta.sizes, value)?;
        if sizes.iter().any(|dim| matches!(dim, Dim::Fixed(..0))) {
            return Err(malformed(tensor_at(value), "a size is negative"));
        }
        let strides = self.dims(&meta.strides, value)?;
        Ok(TensorPort { dtype: meta.dtype, sizes, strides, device: meta.device.clone(), layout: meta.layout })
    }

    fn dims(&mut self, dims: &[SymInt], value: &str) -> Result<Vec<Dim>> {
        dims.iter()
            .map(|dim| match dim {
                SymInt::Int(size) => Ok(Dim::Fixed(*size)),
                SymInt::Expr(expr) => Ok(match self.expr(expr, value)? {
                    Expr::Int(size) => Dim::Fixed(size),
                    expr => Dim::Expr(expr),
                }),
            })
            .collect()
    }

    fn expr(&mut self, expr: &SymExpr, value: &str) -> Result<Expr> {
        Expr::parse(&expr.expr_str, &mut self.names).map_err(|error| malformed(value, error.to_string()))
    }
}

/// Input that the caller passes for a spec.
enum UserInput<'a> {
    Argument(&'a Argument),
    Constant(&'a ConstantValue),
}

fn user_input(spec: &InputSpec) -> Option<UserInput<'_>> {
    match spec {
        InputSpec::UserInput(spec) => Some(UserInput::Argument(&spec.arg)),
        InputSpec::ConstantInput(spec) => Some(UserInput::Constant(&spec.value)),
        _ => None,
    }
}

/// Output that the caller receives for a spec.
enum UserOutput {
    /// A leaf of the output pytree.
    Leaf(Argument),
    /// A gradient, which is in no pytree, and its path.
    Gradient(String, Argument),
}

fn user_output(spec: &OutputSpec) -> Option<UserOutput> {
    let gradient = |of: &str, name: &str, arg: &TensorArgument| {
        Some(UserOutput::Gradient(format!("{of}[{name:?}]"), Argument::Tensor(arg.clone())))
    };
    match spec {
        OutputSpec::UserOutput(spec) => Some(UserOutput::Leaf(spec.arg.clone())),
        OutputSpec::LossOutput(spec) => Some(UserOutput::Leaf(Argument::Tensor(spec.arg.clone()))),
        OutputSpec::GradientToParameter(spec) => gradient("gradients", &spec.parameter_name, &spec.arg),
        OutputSpec::GradientToUserInput(spec) => {
            gradient("input_gradients", &spec.user_input_name, &spec.arg)
        }
        _ => None,
    }
}

fn same_count(tree: &str, leaves: usize, what: &str, count: usize) -> Result<()> {
    if leaves == count {
        Ok(())
    } else {
        Err(malformed(tree, format!("it has {leaves} leaves, the signature {count} {what}")))
    }
}

fn described<'a, T>(values: &'a BTreeMap<String, T>, table: &str, value: &str) -> Result<&'a T> {
    values.get(value).ok_or_else(|| malformed(format!("graph.{table}"), format!("`{value}` is missing")))
}

fn tensor_at(value: &str) -> String {
    format!("graph.tensor_values.{value}")
}

impl Port {
    /// Returns the error for an input that does not fit.
    pub(super) fn refuse(&self, reason: impl Into<String>) -> Error {
        Error::Input { input: self.name.clone(), reason: reason.into() }
    }
}
