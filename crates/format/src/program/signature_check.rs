//! Checks that the specs of a signature match the inputs and outputs of its graph.
//!
//! The specs are in the order of the graph's inputs and outputs, as
//! `GraphModuleDeserializer.deserialize_signature` in `torch/_export/serde/serialize.py` 2.11
//! expects.

use std::collections::BTreeSet;

use super::json::malformed;
use super::schema::{
    Argument, ConstantValue, GraphModule, InputSpec, OutputSpec, SymBoolArgument, SymFloatArgument,
    SymIntArgument, TensorArgument,
};
use crate::error::Result;

/// Rejects a signature that does not match its graph.
pub fn validate(module: &GraphModule) -> Result<()> {
    let (graph, signature) = (&module.graph, &module.signature);
    same_length("graph.inputs", graph.inputs.len(), "signature.input_specs", signature.input_specs.len())?;
    same_length(
        "graph.outputs",
        graph.outputs.len(),
        "signature.output_specs",
        signature.output_specs.len(),
    )?;
    distinct(&graph.inputs)?;
    for (place, (spec, input)) in signature.input_specs.iter().zip(&graph.inputs).enumerate() {
        if !input_fits(spec, input) {
            return Err(malformed(
                format!("signature.input_specs[{place}]"),
                "it is not the graph's input at this place",
            ));
        }
    }
    let targets = Targets::of(&signature.input_specs);
    for (place, (spec, output)) in signature.output_specs.iter().zip(&graph.outputs).enumerate() {
        let at = || format!("signature.output_specs[{place}]");
        if !output_fits(spec, output) {
            return Err(malformed(at(), "it is not the graph's output at this place"));
        }
        targets.find(spec).map_err(|reason| malformed(at(), reason))?;
    }
    Ok(())
}

fn same_length(one: &str, length: usize, other: &str, other_length: usize) -> Result<()> {
    if length == other_length {
        Ok(())
    } else {
        Err(malformed(other, format!("it has {other_length} entries, {one} has {length}")))
    }
}

fn distinct(inputs: &[Argument]) -> Result<()> {
    let mut seen = BTreeSet::new();
    match inputs.iter().filter_map(name).find(|name| !seen.insert(*name)) {
        Some(name) => Err(malformed("graph.inputs", format!("`{name}` is given twice"))),
        None => Ok(()),
    }
}

/// Returns the name of the value that an argument refers to. None for literals and lists.
pub fn name(argument: &Argument) -> Option<&str> {
    match argument {
        Argument::Tensor(TensorArgument { name })
        | Argument::SymInt(SymIntArgument::Name(name))
        | Argument::SymFloat(SymFloatArgument::Name(name))
        | Argument::SymBool(SymBoolArgument::Name(name)) => Some(name),
        Argument::CustomObj(object) => Some(&object.name),
        _ => None,
    }
}

/// Returns the literal of an argument, if a signature can hold it.
pub fn literal(argument: &Argument) -> Option<ConstantValue> {
    Some(match argument {
        Argument::None => ConstantValue::None,
        Argument::Int(value) | Argument::SymInt(SymIntArgument::Int(value)) => ConstantValue::Int(*value),
        Argument::Float(value) | Argument::SymFloat(SymFloatArgument::Float(value)) => {
            ConstantValue::Float(*value)
        }
        Argument::Bool(value) | Argument::SymBool(SymBoolArgument::Bool(value)) => {
            ConstantValue::Bool(*value)
        }
        Argument::String(value) => ConstantValue::String(value.clone()),
        _ => return None,
    })
}

/// Compares constants. NaN equals NaN.
pub fn same_constant(one: &ConstantValue, other: &ConstantValue) -> bool {
    match (one, other) {
        (ConstantValue::Float(one), ConstantValue::Float(other)) => {
            one == other || (one.is_nan() && other.is_nan())
        }
        _ => one == other,
    }
}

fn same_argument(one: &Argument, other: &Argument) -> bool {
    match (literal(one), literal(other)) {
        (Some(one), Some(other)) => same_constant(&one, &other),
        _ => one == other,
    }
}

fn is_tensor(argument: &Argument, expected: &TensorArgument) -> bool {
    matches!(argument, Argument::Tensor(found) if found == expected)
}

fn input_fits(spec: &InputSpec, input: &Argument) -> bool {
    match spec {
        InputSpec::UserInput(spec) => same_argument(&spec.arg, input),
        InputSpec::Parameter(spec) => is_tensor(input, &spec.arg),
        InputSpec::Buffer(spec) => is_tensor(input, &spec.arg),
        InputSpec::TensorConstant(spec) => is_tensor(input, &spec.arg),
        InputSpec::CustomObj(spec) => name(input) == Some(&spec.arg.name),
        InputSpec::Token(spec) => name(input) == Some(&spec.arg.name),
        InputSpec::ConstantInput(spec) => {
            literal(input).is_some_and(|value| same_constant(&value, &spec.value))
        }
    }
}

fn output_fits(spec: &OutputSpec, output: &Argument) -> bool {
    match spec {
        OutputSpec::UserOutput(spec) => same_argument(&spec.arg, output),
        OutputSpec::LossOutput(spec) => is_tensor(output, &spec.arg),
        OutputSpec::BufferMutation(spec) => is_tensor(output, &spec.arg),
        OutputSpec::ParameterMutation(spec) => is_tensor(output, &spec.arg),
        OutputSpec::GradientToParameter(spec) => is_tensor(output, &spec.arg),
        OutputSpec::GradientToUserInput(spec) => is_tensor(output, &spec.arg),
        OutputSpec::UserInputMutation(spec) => is_tensor(output, &spec.arg),
        OutputSpec::Token(spec) => name(output) == Some(&spec.arg.name),
    }
}

/// Names of the parameters, buffers and inputs that outputs may refer to.
struct Targets<'a> {
    parameters: BTreeSet<&'a str>,
    buffers: BTreeSet<&'a str>,
    user_inputs: BTreeSet<&'a str>,
}

impl<'a> Targets<'a> {
    fn of(specs: &'a [InputSpec]) -> Self {
        let mut targets =
            Targets { parameters: BTreeSet::new(), buffers: BTreeSet::new(), user_inputs: BTreeSet::new() };
        for spec in specs {
            match spec {
                InputSpec::Parameter(spec) => drop(targets.parameters.insert(&spec.parameter_name)),
                InputSpec::Buffer(spec) => drop(targets.buffers.insert(&spec.buffer_name)),
                InputSpec::UserInput(spec) => targets.user_inputs.extend(name(&spec.arg)),
                _ => {}
            }
        }
        targets
    }

    fn find(&self, spec: &OutputSpec) -> Result<(), String> {
        let (kind, names, target) = match spec {
            OutputSpec::BufferMutation(spec) => ("buffer", &self.buffers, &spec.buffer_name),
            OutputSpec::ParameterMutation(spec) => ("parameter", &self.parameters, &spec.parameter_name),
            OutputSpec::GradientToParameter(spec) => ("parameter", &self.parameters, &spec.parameter_name),
            OutputSpec::GradientToUserInput(spec) => ("input", &self.user_inputs, &spec.user_input_name),
            OutputSpec::UserInputMutation(spec) => ("input", &self.user_inputs, &spec.user_input_name),
            OutputSpec::UserOutput(_) | OutputSpec::LossOutput(_) | OutputSpec::Token(_) => return Ok(()),
        };
        if names.contains(target.as_str()) { Ok(()) } else { Err(format!("there is no {kind} `{target}`")) }
    }
}
