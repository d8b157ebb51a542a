//! Higher-order operators: nodes that run graphs, each graph a plan of its own.

use super::{Plan, Source, operand, pointwise};
use crate::graph::{Node, Operand, Output};
use crate::passes::POINTWISE;
use crate::torch;

/// How a node runs the graphs it is given. Results are one for each output of the graph; None is read by nobody.
#[derive(Debug)]
pub enum Control {
    /// Runs one of two graphs.
    Branch {
        /// Decides which.
        predicate: Source,
        /// Run if the predicate is true.
        yes: Plan,
        /// Run if it is not.
        no: Plan,
        /// What either is given.
        operands: Vec<Source>,
        /// Where the outputs go.
        results: Vec<Option<u32>>,
    },
    /// Runs a graph on what it returned before, as long as another one says so.
    While {
        /// Returns whether to go on.
        condition: Plan,
        /// Returns the next values.
        body: Plan,
        /// The first values.
        carried: Vec<Source>,
        /// What both graphs are given after the values, unchanged.
        extra: Vec<Source>,
        /// Where the last values go.
        results: Vec<Option<u32>>,
    },
    /// Runs a graph on each row of some tensors in turn.
    Scan {
        /// Returns the next carried values, then this row's outputs.
        body: Plan,
        /// The first carried values.
        carried: Vec<Source>,
        /// The tensors, of as many rows each.
        rows: Vec<u32>,
        /// What the graph is given after the rows, unchanged.
        extra: Vec<Source>,
        /// Where the last carried values go, then the stacked outputs.
        results: Vec<Option<u32>>,
    },
    /// Does arithmetic on each element of some tensors.
    Pointwise {
        /// All of it at once.
        program: torch::Pointwise,
        /// One operation at a time, where the tensors do not lie row-major or are of other sizes.
        body: Plan,
        /// The tensors.
        operands: Vec<u32>,
        /// Where the output goes.
        results: Vec<Option<u32>>,
    },
    /// Runs a graph with automatic casts switched on or off.
    Autocast {
        /// Whether they are on.
        enabled: bool,
        /// The dtype to cast to, by libtorch's number; None for the device's default.
        dtype: Option<i32>,
        /// What runs.
        body: Plan,
        /// What it is given.
        operands: Vec<Source>,
        /// Where the outputs go.
        results: Vec<Option<u32>>,
    },
}

/// A higher-order operator that a plan can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `cond`.
    Cond,
    /// `while_loop`.
    WhileLoop,
    /// `map_impl`: a scan that carries nothing.
    Map,
    /// `scan`.
    Scan,
    /// `wrap_with_autocast`.
    Autocast,
    /// What the pass of this name makes.
    Pointwise,
}

impl Form {
    /// The form of this name.
    pub fn named(name: &str) -> Option<Form> {
        Some(match name {
            "cond" => Form::Cond,
            "while_loop" => Form::WhileLoop,
            "map_impl" => Form::Map,
            "scan" => Form::Scan,
            "wrap_with_autocast" => Form::Autocast,
            POINTWISE => Form::Pointwise,
            _ => return None,
        })
    }

    /// Whether a graph may run more than once, on what it returned before.
    pub fn repeats(self) -> bool {
        matches!(self, Form::WhileLoop | Form::Map | Form::Scan)
    }

    /// Makes the node's action from the plans of its graphs, which are in the order of its arguments.
    pub fn bind(self, node: &Node, plans: Vec<Plan>) -> Result<Control, String> {
        let arguments = plain_arguments(node);
        let results = results(node);
        let mut plans = plans.into_iter();
        let control = match (self, arguments.as_slice(), plans.next(), plans.next()) {
            (Form::Cond, [predicate, Operand::List(operands)], Some(yes), Some(no)) => {
                let predicate = operand::for_reading(predicate)?;
                Control::Branch { predicate, yes, no, operands: sources(operands)?, results }
            }
            (Form::WhileLoop, [Operand::List(first), Operand::List(extra)], Some(condition), Some(body)) => {
                let (carried, extra) = (sources(first)?, sources(extra)?);
                Control::While { condition, body, carried, extra, results }
            }
            (Form::Map, [Operand::List(rows), Operand::List(extra)], Some(body), None) => {
                let (rows, extra) = (slots(rows)?, sources(extra)?);
                Control::Scan { body, carried: Vec::new(), rows, extra, results }
            }
            (
                Form::Scan,
                [Operand::List(first), Operand::List(rows), Operand::List(extra)],
                Some(body),
                None,
            ) => {
                let (carried, rows, extra) = (sources(first)?, slots(rows)?, sources(extra)?);
                Control::Scan { body, carried, rows, extra, results }
            }
            (
                Form::Autocast,
                [Operand::String(_), dtype, Operand::Bool(enabled), _, operands @ ..],
                Some(body),
                None,
            ) => {
                let dtype = autocast_dtype(dtype)?;
                let operands =
                    operands.iter().copied().map(operand::for_reading).collect::<Result<_, _>>()?;
                Control::Autocast { enabled: *enabled, dtype, body, operands, results }
            }
            (Form::Pointwise, [Operand::List(operands)], Some(body), None) => {
                let (program, operands) = (pointwise::compile(node)?, slots(operands)?);
                Control::Pointwise { program, body, operands, results }
            }
            _ => return Err("its arguments have an unknown form".into()),
        };
        control.check().map(|()| control)
    }
}

impl Control {
    /// Every graph must take what it is given and return what is expected of it.
    fn check(&self) -> Result<(), String> {
        match self {
            Control::Branch { yes, no, operands, results, .. } => {
                fits(yes, operands.len(), results.len())?;
                fits(no, operands.len(), results.len())
            }
            Control::While { condition, body, carried, extra, results } => {
                fits(condition, carried.len() + extra.len(), 1)?;
                fits(body, carried.len() + extra.len(), carried.len())?;
                fits(body, carried.len() + extra.len(), results.len())
            }
            Control::Scan { body, carried, rows, extra, results } => {
                if rows.is_empty() || results.len() < carried.len() {
                    return Err("its arguments have an unknown form".into());
                }
                fits(body, carried.len() + rows.len() + extra.len(), results.len())
            }
            Control::Autocast { body, operands, results, .. } => fits(body, operands.len(), results.len()),
            Control::Pointwise { body, operands, results, .. } => fits(body, operands.len(), results.len()),
        }
    }
}

fn fits(plan: &Plan, operands: usize, results: usize) -> Result<(), String> {
    let (takes, returns) = (plan.inputs.len(), plan.outputs.len());
    if (takes, returns) == (operands, results) {
        return Ok(());
    }
    Err(format!(
        "a graph takes {takes} values and returns {returns}, the node gives {operands} and takes {results}"
    ))
}

/// The arguments that are no graphs, in order.
fn plain_arguments(node: &Node) -> Vec<&Operand> {
    let values = node.inputs.iter().map(|argument| &argument.value);
    values.filter(|value| !matches!(value, Operand::Graph(_))).collect()
}

/// What the node's graphs are given, one operand for each of their inputs.
pub fn operands(form: Form, node: &Node) -> Vec<&Operand> {
    let arguments = plain_arguments(node);
    match form {
        Form::Autocast => arguments.into_iter().skip(4).collect(),
        _ => arguments
            .into_iter()
            .filter_map(|argument| if let Operand::List(items) = argument { Some(items) } else { None })
            .flatten()
            .collect(),
    }
}

/// Archives before 2.7 wrap several results in a list; what is in it counts.
pub fn results(node: &Node) -> Vec<Option<u32>> {
    let slots = node.outputs.iter().map(|output| match output {
        Output::None => vec![None],
        Output::Value(value) => vec![Some(operand::slot(*value))],
        Output::List(values) => values.iter().map(|value| value.map(operand::slot)).collect(),
    });
    slots.flatten().collect()
}

fn sources(items: &[Operand]) -> Result<Vec<Source>, String> {
    items.iter().map(operand::for_reading).collect()
}

fn slots(items: &[Operand]) -> Result<Vec<u32>, String> {
    let slot = |item: &Operand| match item {
        Operand::Value(value) => Ok(operand::slot(*value)),
        _ => Err("a constant where a tensor is taken apart".into()),
    };
    items.iter().map(slot).collect()
}

fn autocast_dtype(dtype: &Operand) -> Result<Option<i32>, String> {
    match dtype {
        Operand::None => Ok(None),
        Operand::ScalarType(dtype) => Ok(Some(torch::dtype_to_torch(*dtype))),
        _ => Err("its dtype is none".into()),
    }
}
