//! Outputs of a node, and the name of a node that records none.

use super::builder::GraphBuilder;
use crate::graph::{Output, Target, ValueId, ValueKind};
use crate::program::schema::{self, Argument, OptionalTensorArgument, TensorArgument};
use crate::program::schema::{SymBoolArgument, SymFloatArgument, SymIntArgument};

/// Defines a node's outputs, one for each return.
pub fn outputs<'a>(
    scope: &mut GraphBuilder<'a>,
    source: &'a schema::Node,
    target: &Target,
) -> Result<Vec<Output>, String> {
    if let Some(tensor) = lone_tensor(source, target) {
        return Ok(vec![Output::Value(scope.define_tensor(&tensor.name)?)]);
    }
    source.outputs.iter().map(|output| define(scope, output)).collect()
}

/// Returns the tensor if the node is a higher-order operator of an archive before 2.7 with one
/// tensor in a list. Those archives wrap a single tensor. Later archives record
/// `is_hop_single_tensor_return` and do not wrap.
fn lone_tensor<'a>(source: &'a schema::Node, target: &Target) -> Option<&'a TensorArgument> {
    let old = matches!(target, Target::HigherOrder(_)) && source.is_hop_single_tensor_return.is_none();
    match source.outputs.as_slice() {
        [Argument::Tensors(tensors)] if old && tensors.len() == 1 => tensors.first(),
        _ => None,
    }
}

fn define<'a>(scope: &mut GraphBuilder<'a>, output: &'a Argument) -> Result<Output, String> {
    Ok(match output {
        Argument::None | Argument::OptionalTensor(OptionalTensorArgument::None) => Output::None,
        Argument::Tensor(tensor) | Argument::OptionalTensor(OptionalTensorArgument::Tensor(tensor)) => {
            Output::Value(scope.define_tensor(&tensor.name)?)
        }
        Argument::SymInt(value) => Output::Value(int(scope, value)?),
        Argument::SymFloat(value) => Output::Value(float(scope, value)?),
        Argument::SymBool(value) => Output::Value(bool(scope, value)?),
        Argument::CustomObj(object) => Output::Value(scope.define_object(object)?),
        Argument::Tensors(items) => list(items, |item| scope.define_tensor(&item.name).map(Some))?,
        Argument::OptionalTensors(items) => list(items, |item| optional(scope, item))?,
        Argument::SymInts(items) => list(items, |item| int(scope, item).map(Some))?,
        Argument::SymFloats(items) => list(items, |item| float(scope, item).map(Some))?,
        Argument::SymBools(items) => list(items, |item| bool(scope, item).map(Some))?,
        _ => return Err("an output that is no value".into()),
    })
}

fn list<'a, T>(
    items: &'a [T],
    define: impl FnMut(&'a T) -> Result<Option<ValueId>, String>,
) -> Result<Output, String> {
    items.iter().map(define).collect::<Result<_, _>>().map(Output::List)
}

fn optional<'a>(
    scope: &mut GraphBuilder<'a>,
    item: &'a OptionalTensorArgument,
) -> Result<Option<ValueId>, String> {
    match item {
        OptionalTensorArgument::None => Ok(None),
        OptionalTensorArgument::Tensor(tensor) => scope.define_tensor(&tensor.name).map(Some),
    }
}

fn int<'a>(scope: &mut GraphBuilder<'a>, value: &'a SymIntArgument) -> Result<ValueId, String> {
    match value {
        SymIntArgument::Name(name) => scope.define(name, ValueKind::Int),
        SymIntArgument::Int(_) => Err(LITERAL.into()),
    }
}

fn float<'a>(scope: &mut GraphBuilder<'a>, value: &'a SymFloatArgument) -> Result<ValueId, String> {
    match value {
        SymFloatArgument::Name(name) => scope.define(name, ValueKind::Float),
        SymFloatArgument::Float(_) => Err(LITERAL.into()),
    }
}

fn bool<'a>(scope: &mut GraphBuilder<'a>, value: &'a SymBoolArgument) -> Result<ValueId, String> {
    match value {
        SymBoolArgument::Name(name) => scope.define(name, ValueKind::Bool),
        SymBoolArgument::Bool(_) => Err(LITERAL.into()),
    }
}

const LITERAL: &str = "an output that is a literal";

/// Returns the node's own name, absent before 2.9; else its first output's; else its target's.
pub fn node_name(source: &schema::Node, target: &Target) -> String {
    if let Some(name) = source.name.as_ref().filter(|name| !name.is_empty()) {
        return name.clone();
    }
    match source.outputs.first().and_then(output_name) {
        Some(name) => name.to_owned(),
        None => called(target).to_owned(),
    }
}

fn output_name(output: &Argument) -> Option<&str> {
    match output {
        Argument::Tensor(tensor) => Some(&tensor.name),
        Argument::Tensors(items) => items.first().map(|tensor| tensor.name.as_str()),
        Argument::SymInt(SymIntArgument::Name(name))
        | Argument::SymFloat(SymFloatArgument::Name(name))
        | Argument::SymBool(SymBoolArgument::Name(name)) => Some(name),
        Argument::CustomObj(object) => Some(&object.name),
        _ => None,
    }
}

fn called(target: &Target) -> &str {
    match target {
        Target::Operator { name, .. } | Target::HigherOrder(name) | Target::Python(name) => name,
    }
}
