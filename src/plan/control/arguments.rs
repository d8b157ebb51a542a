//! Arguments and results of a node that runs graphs.

use super::ControlOp;
use crate::graph::{Node, Operand, Output};
use crate::plan::{ValueRef, operand};
use crate::torch;

/// Returns the arguments that are no graphs, in order.
pub fn plain(node: &Node) -> Vec<&Operand> {
    let values = node.inputs.iter().map(|argument| &argument.value);
    values.filter(|value| !matches!(value, Operand::Graph(_))).collect()
}

/// Returns the operands that a node passes to its graphs, one for each graph input.
pub fn operands(form: ControlOp, node: &Node) -> Vec<&Operand> {
    let arguments = plain(node);
    match form {
        ControlOp::Autocast => arguments.into_iter().skip(4).collect(),
        // Each tensor supplies two inputs: its rows before and its rows after.
        ControlOp::AssociativeScan => {
            let lists = lists(arguments);
            lists.first().into_iter().chain(&lists).copied().flatten().collect()
        }
        _ => lists(arguments).into_iter().flatten().collect(),
    }
}

fn lists(arguments: Vec<&Operand>) -> Vec<&[Operand]> {
    fn list(argument: &Operand) -> Option<&[Operand]> {
        if let Operand::List(items) = argument { Some(items) } else { None }
    }
    arguments.into_iter().filter_map(list).collect()
}

/// Returns the result slots of a node. Archives before PyTorch 2.7 wrap several results in a list,
/// which is flattened.
pub fn results(node: &Node) -> Vec<Option<u32>> {
    let slots = node.outputs.iter().map(|output| match output {
        Output::None => vec![None],
        Output::Value(value) => vec![Some(operand::slot(*value))],
        Output::List(values) => values.iter().map(|value| value.map(operand::slot)).collect(),
    });
    slots.flatten().collect()
}

/// Returns the places that the operands are read from.
pub fn sources(items: &[Operand]) -> Result<Vec<ValueRef>, String> {
    items.iter().map(operand::for_reading).collect()
}

/// Returns the slots of operands that must be tensors.
pub fn slots(items: &[Operand]) -> Result<Vec<u32>, String> {
    let slot = |item: &Operand| match item {
        Operand::Value(value) => Ok(operand::slot(*value)),
        _ => Err("a constant where a tensor is taken apart".into()),
    };
    items.iter().map(slot).collect()
}

/// Returns libtorch's number of the dtype that autocast casts to; None for the default.
pub fn autocast_dtype(dtype: &Operand) -> Result<Option<i32>, String> {
    match dtype {
        Operand::None => Ok(None),
        Operand::ScalarType(dtype) => Ok(Some(torch::dtype_to_torch(*dtype))),
        _ => Err("its dtype is none".into()),
    }
}
