//! One call of a plan.
//!
//! Enters: a [`Plan`] and the caller's inputs, already checked. Leaves: the outputs, in order. Nothing is
//! looked up here, and nothing is locked.

mod control;
mod cuda_graph;
mod describe_inputs;
pub mod mutated_inputs;

pub use cuda_graph::{CALLS_BEFORE_CAPTURE, CudaGraphCache, Statistics};
pub use describe_inputs::describe_inputs;

use crate::plan::{Action, Label, Plan, PythonFunction, Step, ValueRef};
use crate::program::number::Number;
use crate::torch::{Failure, Frame, Scalar, Scope, Tensor, process};
use crate::{Error, Result, timeline};

/// What the caller passes for one input.
#[derive(Clone, Debug)]
pub enum Input {
    /// Python's None, or a constant of the program.
    None,
    /// A tensor.
    Tensor(Tensor),
    /// A number.
    Number(Number),
}

impl Input {
    fn tensor(&self) -> Option<&Tensor> {
        if let Input::Tensor(tensor) = self { Some(tensor) } else { None }
    }
}

/// Runs every step of the plan on a frame that holds the plan's weights, and leaves it holding only those.
pub fn run(plan: &Plan, scope: &Scope, frame: &mut Frame, inputs: &[Input]) -> Result<Vec<Option<Tensor>>> {
    accept(plan, frame, inputs);
    steps(plan, scope, frame)?;
    let outputs = plan.outputs.iter().map(|source| deliver(*source, frame)).collect();
    frame.release(&plan.leftover);
    outputs
}

/// The same for a caller, who has handles for the outputs.
pub fn run_for_caller(
    plan: &Plan,
    scope: &Scope,
    frame: &mut Frame,
    inputs: &[Input],
) -> Result<Vec<Option<Tensor>>> {
    hand_out(run(plan, scope, frame, inputs)?, plan.output_names.iter().map(String::as_str))
}

/// Every step in order, whether the plan is the program's or that of a graph inside it.
fn steps(plan: &Plan, scope: &Scope, frame: &mut Frame) -> Result<()> {
    for (step, label) in plan.steps.iter().zip(&plan.labels) {
        process::checkpoint()?;
        timeline::node(&label.node, &label.target, || act(step, label, scope, frame))?;
        frame.release(&step.dead);
    }
    Ok(())
}

fn act(step: &Step, label: &Label, scope: &Scope, frame: &mut Frame) -> Result<()> {
    match &step.action {
        Action::Call(call) => call.run(frame, scope).map_err(|failure| at(label, failure)),
        Action::Compute { function, arguments, slot } => {
            compute(*function, arguments, *slot, frame).map_err(|reason| refused(label, reason))
        }
        Action::Control(control) => control::run(control, label, scope, frame),
    }
}

/// A frame for a plan, with these weights in their slots.
pub fn frame(plan: &Plan, weights: &[(u32, Tensor)]) -> Result<Frame> {
    let mut frame = Frame::new(plan.slots).map_err(Failure::outside_node)?;
    for (slot, weight) in weights {
        frame.set_tensor(*slot, weight);
    }
    Ok(frame)
}

fn accept(plan: &Plan, frame: &mut Frame, inputs: &[Input]) {
    for (slot, input) in plan.inputs.iter().zip(inputs) {
        match (slot, input) {
            (Some(slot), Input::Tensor(tensor)) => frame.set_tensor(*slot, tensor),
            (Some(slot), Input::Number(number)) => store(frame, *slot, *number),
            (Some(_), Input::None) | (None, _) => {}
        }
    }
}

fn compute(
    function: PythonFunction,
    arguments: &[ValueRef],
    slot: u32,
    frame: &mut Frame,
) -> Result<(), String> {
    let numbers: Vec<Number> =
        arguments.iter().map(|source| read(*source, frame)).collect::<Result<_, _>>()?;
    store(frame, slot, function.apply(&numbers)?);
    Ok(())
}

fn read(source: ValueRef, frame: &Frame) -> Result<Number, String> {
    match source {
        ValueRef::Number(number) => Ok(number),
        ValueRef::None => Err("None is no number".into()),
        ValueRef::Slot(slot) => match frame.get(slot).map_err(|failure| failure.message)? {
            Some(Scalar::Int(value)) => Ok(Number::Int(value)),
            Some(Scalar::Float(value)) => Ok(Number::Float(value)),
            Some(Scalar::Bool(value)) => Ok(Number::Bool(value)),
            _ => Err("an argument is no number".into()),
        },
    }
}

fn store(frame: &mut Frame, slot: u32, number: Number) {
    match number {
        Number::Bool(value) => frame.set_bool(slot, value),
        Number::Int(value) => frame.set_int(slot, value),
        // What Python computes is no fraction; where one were, Python would have its float.
        Number::Float(_) | Number::Rational(..) => frame.set_float(slot, number.float()),
    }
}

fn deliver(source: ValueRef, frame: &Frame) -> Result<Option<Tensor>> {
    Ok(match source {
        ValueRef::None => None,
        ValueRef::Number(number) => Some(boxed(number)),
        ValueRef::Slot(slot) => frame.get(slot).map_err(Failure::outside_node)?.map(|value| match value {
            Scalar::Tensor(tensor) => tensor,
            Scalar::Int(value) => boxed(Number::Int(value)),
            Scalar::Float(value) => boxed(Number::Float(value)),
            Scalar::Bool(value) => boxed(Number::Bool(value)),
        }),
    })
}

/// The outputs as a caller can have them ([`Tensor::plain`]). An output that no handle can describe is an error that
/// names it.
pub fn hand_out<'a>(
    outputs: Vec<Option<Tensor>>,
    mut names: impl Iterator<Item = &'a str>,
) -> Result<Vec<Option<Tensor>>> {
    let plain = |output: Option<Tensor>| {
        let name = names.next().unwrap_or_default();
        let refused = |reason| Error::Unsupported {
            what: format!("output `{name}` is {reason}; outputs are strided tensors"),
        };
        output.as_ref().map(Tensor::plain).transpose().map_err(|failure| failure.into_error(refused))
    };
    outputs.into_iter().map(plain).collect()
}

/// Numbers leave as 0-d tensors on the CPU.
fn boxed(number: Number) -> Tensor {
    match number {
        Number::Bool(value) => Tensor::from_bool(value),
        Number::Int(value) => Tensor::from_int(value),
        Number::Float(_) | Number::Rational(..) => Tensor::from_float(number.float()),
    }
}

fn at(label: &Label, failure: Failure) -> Error {
    failure.into_error(|reason| refused(label, reason))
}

fn refused(label: &Label, reason: String) -> Error {
    let Label { node, target, trace } = label.clone();
    Error::Operator { node, target, reason, trace }
}
