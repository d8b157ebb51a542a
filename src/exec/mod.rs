//! Runs one call of a plan.
//!
//! Input: a [`Plan`] and the caller's checked inputs. Output: the outputs, in order. Running the
//! steps looks up nothing by name and takes no lock.

mod control;
mod cuda_graph;
mod describe_inputs;
mod mutated_inputs;

pub use cuda_graph::{CALLS_BEFORE_CAPTURE, CudaGraphCache, Statistics};
pub use describe_inputs::describe_inputs;
pub use mutated_inputs::{alias_mutated, check_mutated};

use crate::plan::{Action, Label, Plan, PythonFunction, Step, ValueRef};
use crate::program::number::Number;
use crate::torch::{Failure, Frame, Scope, SlotValue, Tensor, process};
use crate::{Error, Result, timeline};

/// Input of a call.
#[derive(Clone, Debug)]
pub enum Input {
    /// Python's None, or a constant of the program.
    None,
    /// Tensor.
    Tensor(Tensor),
    /// Number.
    Number(Number),
}

impl Input {
    fn tensor(&self) -> Option<&Tensor> {
        if let Input::Tensor(tensor) = self { Some(tensor) } else { None }
    }
}

/// Runs every step of the plan on a frame that holds only the plan's weights, before and after a
/// successful run.
pub fn run(plan: &Plan, scope: &Scope, frame: &mut Frame, inputs: &[Input]) -> Result<Vec<Option<Tensor>>> {
    bind_inputs(plan, frame, inputs);
    steps(plan, scope, frame)?;
    let outputs = plan.outputs.iter().map(|source| deliver(*source, frame)).collect();
    frame.release(&plan.leftover);
    outputs
}

/// Runs the plan and returns outputs that a handle can describe.
pub fn run_for_caller(
    plan: &Plan,
    scope: &Scope,
    frame: &mut Frame,
    inputs: &[Input],
) -> Result<Vec<Option<Tensor>>> {
    hand_out(run(plan, scope, frame, inputs)?, plan.output_names.iter().map(String::as_str))
}

/// Runs every step in order, of the program's plan or of an inner graph's.
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

/// Makes a frame for a plan, with these weights in their slots.
pub fn frame(plan: &Plan, weights: &[(u32, Tensor)]) -> Result<Frame> {
    let mut frame = Frame::new(plan.slots).map_err(Failure::outside_node)?;
    for (slot, weight) in weights {
        frame.set_tensor(*slot, weight);
    }
    Ok(frame)
}

/// Puts the inputs into the slots that the plan reads them from.
fn bind_inputs(plan: &Plan, frame: &mut Frame, inputs: &[Input]) {
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
            Some(SlotValue::Int(value)) => Ok(Number::Int(value)),
            Some(SlotValue::Float(value)) => Ok(Number::Float(value)),
            Some(SlotValue::Bool(value)) => Ok(Number::Bool(value)),
            _ => Err("an argument is no number".into()),
        },
    }
}

fn store(frame: &mut Frame, slot: u32, number: Number) {
    match number {
        Number::Bool(value) => frame.set_bool(slot, value),
        Number::Int(value) => frame.set_int(slot, value),
        // Python computes no fractions. A fraction would be a float in Python.
        Number::Float(_) | Number::Rational(..) => frame.set_float(slot, number.float()),
    }
}

fn deliver(source: ValueRef, frame: &Frame) -> Result<Option<Tensor>> {
    let value = match source {
        ValueRef::None => None,
        ValueRef::Number(number) => return boxed(number).map(Some),
        ValueRef::Slot(slot) => frame.get(slot).map_err(Failure::outside_node)?,
    };
    let tensor = |value| match value {
        SlotValue::Tensor(tensor) => Ok(tensor),
        SlotValue::Int(value) => Tensor::from_int(value),
        SlotValue::Float(value) => Tensor::from_float(value),
        SlotValue::Bool(value) => Tensor::from_bool(value),
    };
    value.map(tensor).transpose()
}

/// Returns the outputs in the form that handles describe ([`Tensor::plain`]).
///
/// Fails for an output that no handle can describe; the error names it.
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

/// Returns a number as a 0-d tensor on the CPU.
fn boxed(number: Number) -> Result<Tensor> {
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
