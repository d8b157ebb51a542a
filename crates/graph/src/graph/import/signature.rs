//! Signature: binds the graph's inputs and outputs to their meaning. Entry `n` of the signature
//! describes input or output `n` of the graph, constants included, and names the same value.

use super::error_location::ErrorLocation;
use crate::graph::{Function, Graph, InputBinding, OutputBinding, ValueKind};
use crate::program::schema::{self, Argument, ConstantValue, InputSpec, OutputSpec};
use crate::program::schema::{SymBoolArgument, SymFloatArgument, SymIntArgument};
use crate::{Error, Result};

/// Returns, for each input that is a constant, its name in the signature.
pub fn constant_names(signature: &schema::GraphSignature) -> Vec<Option<&str>> {
    signature.input_specs.iter().map(constant_name).collect()
}

fn constant_name(spec: &InputSpec) -> Option<&str> {
    match spec {
        InputSpec::ConstantInput(constant) if !constant.name.is_empty() => Some(&constant.name),
        _ => None,
    }
}

/// Pairs the signature with the graph.
pub fn bind(module: &schema::GraphModule, graph: Graph) -> Result<Function> {
    let (source, signature) = (&module.graph, &module.signature);
    same_count("input", source.inputs.len(), signature.input_specs.len())?;
    same_count("output", source.outputs.len(), signature.output_specs.len())?;
    let mut function = Function { graph, inputs: Vec::new(), outputs: Vec::new() };
    for (index, (spec, input)) in signature.input_specs.iter().zip(&source.inputs).enumerate() {
        let bound = input_binding(spec, input).map_err(|reason| error("input", index, reason))?;
        mark_token(&mut function, index, &bound);
        function.inputs.push(bound);
    }
    for (index, (spec, output)) in signature.output_specs.iter().zip(&source.outputs).enumerate() {
        let bound =
            output_binding(&function, spec, output).map_err(|reason| error("output", index, reason))?;
        function.outputs.push(bound);
    }
    Ok(function)
}

fn same_count(what: &str, found: usize, specs: usize) -> Result<()> {
    if found == specs {
        return Ok(());
    }
    Err(ErrorLocation::new("signature").error(format!("it describes {specs} {what}s, the graph has {found}")))
}

fn error(what: &str, index: usize, reason: String) -> Error {
    ErrorLocation::new("signature").field(&format!("{what} {index}")).error(reason)
}

fn input_binding(spec: &InputSpec, input: &Argument) -> Result<InputBinding, String> {
    let name = match spec {
        InputSpec::ConstantInput(spec) => return constant(&spec.value, input),
        InputSpec::UserInput(spec) => match constant_of(&spec.arg) {
            Some(value) => return constant(&value, input),
            None => value_name(&spec.arg),
        },
        InputSpec::Parameter(spec) => tensor_name(input, &spec.arg),
        InputSpec::Buffer(spec) => tensor_name(input, &spec.arg),
        InputSpec::TensorConstant(spec) => tensor_name(input, &spec.arg),
        InputSpec::CustomObj(spec) => Some(spec.arg.name.as_str()),
        InputSpec::Token(spec) => Some(spec.arg.name.as_str()),
    };
    same_name(name, input)?;
    Ok(match spec {
        InputSpec::Parameter(spec) => InputBinding::Parameter(spec.parameter_name.clone()),
        InputSpec::Buffer(spec) => {
            InputBinding::Buffer { name: spec.buffer_name.clone(), persistent: spec.persistent }
        }
        InputSpec::TensorConstant(spec) => InputBinding::TensorConstant(spec.tensor_constant_name.clone()),
        InputSpec::CustomObj(spec) => InputBinding::Object(spec.custom_obj_name.clone()),
        InputSpec::Token(_) => InputBinding::Token,
        InputSpec::UserInput(_) | InputSpec::ConstantInput(_) => InputBinding::User,
    })
}

fn output_binding(
    function: &Function,
    spec: &OutputSpec,
    output: &Argument,
) -> Result<OutputBinding, String> {
    let (name, bound) = match spec {
        OutputSpec::UserOutput(spec) => return user_output(&spec.arg, output),
        OutputSpec::LossOutput(spec) => (&spec.arg.name, OutputBinding::Loss),
        OutputSpec::Token(spec) => (&spec.arg.name, OutputBinding::Token),
        OutputSpec::BufferMutation(spec) => {
            (&spec.arg.name, OutputBinding::MutatesBuffer(spec.buffer_name.clone()))
        }
        OutputSpec::ParameterMutation(spec) => {
            (&spec.arg.name, OutputBinding::MutatesParameter(spec.parameter_name.clone()))
        }
        OutputSpec::UserInputMutation(spec) => {
            (&spec.arg.name, OutputBinding::MutatesInput(spec.user_input_name.clone()))
        }
        OutputSpec::GradientToParameter(spec) => {
            (&spec.arg.name, OutputBinding::GradientToParameter(spec.parameter_name.clone()))
        }
        OutputSpec::GradientToUserInput(spec) => {
            (&spec.arg.name, OutputBinding::GradientToInput(spec.user_input_name.clone()))
        }
    };
    same_name(Some(name), output)?;
    let target = match &bound {
        OutputBinding::MutatesBuffer(target)
        | OutputBinding::MutatesParameter(target)
        | OutputBinding::MutatesInput(target) => target,
        _ => return Ok(bound),
    };
    if function.mutated_input(&bound).is_none() {
        return Err(format!("it changes `{}`, which is no such input", target.escape_debug()));
    }
    Ok(bound)
}

fn user_output(spec: &Argument, output: &Argument) -> Result<OutputBinding, String> {
    if let Some(name) = value_name(spec) {
        same_name(Some(name), output)?;
    }
    Ok(OutputBinding::User)
}

/// Binds a constant input. The archive records its value twice, and both must agree.
fn constant(value: &ConstantValue, input: &Argument) -> Result<InputBinding, String> {
    match constant_of(input) {
        Some(found) if same_constant(&found, value) => Ok(InputBinding::Constant(value.clone())),
        _ => Err(format!("the signature has the constant {value:?}, the graph has another input there")),
    }
}

/// Marks effect tokens, which the graph spells as tensors. Only the signature distinguishes them.
fn mark_token(function: &mut Function, index: usize, bound: &InputBinding) {
    let Some(id) = function.graph.inputs.get(index).filter(|_| *bound == InputBinding::Token) else { return };
    if let Some(value) = function.graph.values.get_mut(id.index()) {
        value.kind = ValueKind::Token;
    }
}

fn same_name(spec: Option<&str>, found: &Argument) -> Result<(), String> {
    let found = value_name(found);
    if spec.is_some() && spec == found {
        return Ok(());
    }
    let shown =
        |name: Option<&str>| name.map_or("no value".into(), |name| format!("`{}`", name.escape_debug()));
    Err(format!("the signature has {}, the graph has {}", shown(spec), shown(found)))
}

/// Returns the name of a weight, if the graph's input is a tensor as weights must be.
fn tensor_name<'a>(input: &Argument, spec: &'a schema::TensorArgument) -> Option<&'a str> {
    matches!(input, Argument::Tensor(_)).then_some(spec.name.as_str())
}

fn value_name(argument: &Argument) -> Option<&str> {
    match argument {
        Argument::Tensor(tensor) => Some(&tensor.name),
        Argument::SymInt(SymIntArgument::Name(name))
        | Argument::SymFloat(SymFloatArgument::Name(name))
        | Argument::SymBool(SymBoolArgument::Name(name)) => Some(name),
        Argument::CustomObj(object) => Some(&object.name),
        _ => None,
    }
}

fn constant_of(argument: &Argument) -> Option<ConstantValue> {
    Some(match argument {
        Argument::None => ConstantValue::None,
        Argument::Int(value) => ConstantValue::Int(*value),
        Argument::Float(value) => ConstantValue::Float(*value),
        Argument::Bool(value) => ConstantValue::Bool(*value),
        Argument::String(text) => ConstantValue::String(text.clone()),
        _ => return None,
    })
}

fn same_constant(one: &ConstantValue, other: &ConstantValue) -> bool {
    match (one, other) {
        (ConstantValue::Float(one), ConstantValue::Float(other)) => {
            one.to_bits() == other.to_bits() || one == other
        }
        _ => one == other,
    }
}
