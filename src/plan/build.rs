//! Builds a plan from a function.

use super::control::ControlOp;
use super::effects::effects_of;
use super::resolve::{Body, Callee, resolve};
use super::{
    Action, Label, Plan, PythonFunction, Step, ValueRef, bitcast, cuda_graph_support, liveness, operand,
};
use crate::graph::{Argument, Function, InputBinding, Node, Operand as GraphOperand, Output, ValueId};
use crate::torch::{CallOperand, Device, Failure, OpCall, Operator, ReturnSlot};
use crate::{Error, Result};
use std::collections::HashSet;

/// Binds a function to a device. An error lists everything that this process lacks.
pub fn build(function: &Function, device: Device) -> Result<Plan> {
    let callees = resolve(function)?;
    assemble(function, &callees, device)
}

/// Returns the plan of a function with resolved callees.
fn assemble(function: &Function, callees: &[Callee], device: Device) -> Result<Plan> {
    let weights = weights(function);
    let weight_slots: HashSet<u32> = weights.iter().map(|(slot, _)| *slot).collect();
    let kept = liveness::live_out(function, weight_slots.iter().copied());
    let dead = liveness::dead_after(&function.graph, &kept);
    let leftover = liveness::leftover(function, &dead, &weight_slots);
    let mut builder = Builder { device, steps: Vec::new(), labels: Vec::new() };
    for ((node, callee), dead) in function.graph.nodes.iter().zip(callees).zip(dead) {
        builder.step(node, callee, dead)?;
    }
    builder.copy_back(function)?;
    let effects = effects_of(function, callees);
    Ok(Plan {
        device,
        slots: function.graph.values.len(),
        steps: builder.steps,
        weights,
        inputs: caller_slots(function),
        outputs: caller_outputs(function)?,
        output_names: Vec::new(),
        leftover,
        has_bitcasts: bitcast::has_bitcasts(function, callees),
        random: cuda_graph_support::random(function, callees),
        capture_refusal: cuda_graph_support::unsupported_reason(function, callees, &effects),
        effects,
        labels: builder.labels,
    })
}

fn weights(function: &Function) -> Vec<(u32, String)> {
    let bound = function.inputs.iter().zip(&function.graph.inputs);
    let weight = |(binding, value): (&InputBinding, &ValueId)| {
        binding.weight().map(|name| (operand::slot(*value), name.to_owned()))
    };
    bound.filter_map(weight).collect()
}

fn caller_slots(function: &Function) -> Vec<Option<u32>> {
    let bound = function.inputs.iter().zip(&function.graph.inputs);
    bound
        .filter_map(|(binding, value)| match binding {
            InputBinding::User => Some(Some(operand::slot(*value))),
            InputBinding::Constant(_) => Some(None),
            _ => None,
        })
        .collect()
}

fn caller_outputs(function: &Function) -> Result<Vec<ValueRef>> {
    let bound = function.outputs.iter().zip(&function.graph.outputs);
    let returned = bound.filter(|(binding, _)| binding.is_returned());
    returned
        .map(|(_, output)| match output {
            // The interface holds the text of a string output; no tensor holds strings.
            GraphOperand::String(_) => Ok(ValueRef::None),
            output => operand::for_reading(output)
                .map_err(|reason| Error::Unsupported { what: format!("an output that is {reason}") }),
        })
        .collect()
}

/// Collects steps in order.
struct Builder {
    device: Device,
    steps: Vec<Step>,
    labels: Vec<Label>,
}

impl Builder {
    fn step(&mut self, node: &Node, callee: &Callee, dead: Vec<u32>) -> Result<()> {
        let at_node =
            |reason| Error::Program { at: format!("node `{}` ({})", node.name, node.target), reason };
        let action = match callee {
            Callee::Operator(operator) => {
                let bound = self.call(node, operator).map_err(at_node)?;
                bound.map_err(|failure| failure.into_error(at_node))?
            }
            Callee::Python(function) => compute(node, *function).map_err(at_node)?,
            Callee::Control(form, bodies) => self.control(node, *form, bodies)?.map_err(at_node)?,
        };
        let (node, target, trace) = (node.name.clone(), node.target.to_string(), node.trace.clone());
        self.push(action, dead, Label { node, target, trace });
        Ok(())
    }

    fn call(&self, node: &Node, operator: &Operator) -> Result<Result<Action, Failure>, String> {
        let operand = |argument: &'_ Argument| operand::for_call(&argument.value, self.device);
        let arguments: Vec<(&str, CallOperand)> = node
            .inputs
            .iter()
            .map(|argument| Ok((argument.name.as_str(), operand(argument)?)))
            .collect::<Result<_, String>>()?;
        let returns: Vec<ReturnSlot> = node.outputs.iter().map(destination).collect();
        Ok(OpCall::bind(operator, &arguments, &returns).map(Action::Call))
    }

    fn control(&mut self, node: &Node, form: ControlOp, bodies: &[Body]) -> Result<Result<Action, String>> {
        let plan = |body: &Body| assemble(&body.function, &body.callees, self.device);
        let plans = bodies.iter().map(plan).collect::<Result<Vec<Plan>>>()?;
        Ok(form.bind(node, plans).map(|control| Action::Control(Box::new(control))))
    }

    /// Appends the steps that copy mutations back into buffers, parameters and inputs.
    ///
    /// Core IR returns the new contents as extra outputs; they are copied at the end of every run.
    fn copy_back(&mut self, function: &Function) -> Result<()> {
        for (binding, output) in function.outputs.iter().zip(&function.graph.outputs) {
            let Some(index) = function.mutated_input(binding) else { continue };
            let missing =
                || Error::Program { at: format!("output {binding:?}"), reason: "names no input".into() };
            let target = *function.graph.inputs.get(index).ok_or_else(missing)?;
            let label = Label {
                node: format!("write back {}", function.graph.value(target).map_or("", |value| &value.name)),
                target: "aten::copy_.default".into(),
                trace: None,
            };
            let copy = Operator::find("aten", "copy_", "default")
                .ok_or_else(|| Error::MissingOperators { operators: vec![label.target.clone()] })?;
            let source = operand::for_call(output, self.device)
                .map_err(|reason| Error::Program { at: label.node.clone(), reason })?;
            let arguments = [("self", CallOperand::Slot(operand::slot(target))), ("src", source)];
            let call = OpCall::bind(&copy, &arguments, &[ReturnSlot::Dropped])
                .map_err(|failure| failure.outside_node())?;
            self.push(Action::Call(call), Vec::new(), label);
        }
        Ok(())
    }

    fn push(&mut self, action: Action, dead: Vec<u32>, label: Label) {
        self.steps.push(Step { action, dead });
        self.labels.push(label);
    }
}

fn compute(node: &Node, function: PythonFunction) -> Result<Action, String> {
    let arguments = numbers(&node.inputs)?;
    let slot = node.defined().next().map(operand::slot).ok_or("the result has no name")?;
    Ok(Action::Compute { function, arguments, slot })
}

/// Returns the operands of a Python function: `torch.sym_sum` takes one list, all others take
/// numbers.
fn numbers(arguments: &[Argument]) -> Result<Vec<ValueRef>, String> {
    let mut all = Vec::new();
    for argument in arguments {
        match &argument.value {
            GraphOperand::List(items) => {
                for item in items {
                    all.push(operand::for_reading(item)?);
                }
            }
            single => all.push(operand::for_reading(single)?),
        }
    }
    Ok(all)
}

fn destination(output: &Output) -> ReturnSlot {
    match output {
        Output::None => ReturnSlot::Dropped,
        Output::Value(value) => ReturnSlot::Slot(operand::slot(*value)),
        Output::List(values) => {
            ReturnSlot::List(values.iter().map(|value| value.map(operand::slot)).collect())
        }
    }
}
