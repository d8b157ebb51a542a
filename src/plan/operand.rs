//! Converts operands of the graph to operands of a call.
//!
//! Values become slots, enum numbers of the schema become those of libtorch, and every device
//! becomes the plan's.

use super::ValueRef;
use crate::graph::{Operand, ValueId};
use crate::program::number::Number;
use crate::torch::{self, Device, layout_to_torch, memory_format_to_torch};

/// Returns the slot of a value.
pub fn slot(value: ValueId) -> u32 {
    value.0
}

/// Returns the operand of a call, or the reason why no operator can take it.
pub fn for_call(operand: &Operand, device: Device) -> Result<torch::CallOperand, String> {
    Ok(match operand {
        Operand::None => torch::CallOperand::None,
        Operand::Value(value) => torch::CallOperand::Slot(slot(*value)),
        Operand::Bool(value) => torch::CallOperand::Bool(*value),
        Operand::Int(value) => torch::CallOperand::Int(*value),
        Operand::Float(value) => torch::CallOperand::Float(*value),
        Operand::Complex(real, imaginary) => torch::CallOperand::Complex(*real, *imaginary),
        Operand::String(text) => torch::CallOperand::String(text.clone()),
        Operand::ScalarType(dtype) => torch::CallOperand::Int(i64::from(torch::dtype_to_torch(*dtype))),
        Operand::MemoryFormat(format) => torch::CallOperand::Int(memory_format_to_torch(*format)),
        Operand::Layout(layout) => torch::CallOperand::Int(layout_to_torch(*layout)),
        Operand::Device(exported) => torch::CallOperand::Device(mapped(&exported.r#type, device)?),
        Operand::List(items) => torch::CallOperand::List(
            items.iter().map(|item| for_call(item, device)).collect::<Result<_, _>>()?,
        ),
        Operand::Map(_) => return Err("a dictionary is no argument of an operator".into()),
        Operand::Graph(graph) => {
            return Err(format!("the graph `{}` is no argument of an operator", graph.name));
        }
        Operand::Operator(name) => {
            return Err(format!("the operator `{name}` is no argument of an operator"));
        }
    })
}

/// Maps a device of the exporter's machine to the device that the caller chose.
fn mapped(exported: &str, device: Device) -> Result<Device, String> {
    match exported {
        "cpu" | "cuda" => Ok(device),
        other => Err(format!("tensors on device `{other}`")),
    }
}

/// Returns the place that a Python function, or the caller, reads an operand from.
pub fn for_reading(operand: &Operand) -> Result<ValueRef, String> {
    Ok(match operand {
        Operand::None => ValueRef::None,
        Operand::Value(value) => ValueRef::Slot(slot(*value)),
        Operand::Bool(value) => ValueRef::Number(Number::Bool(*value)),
        Operand::Int(value) => ValueRef::Number(Number::Int(*value)),
        Operand::Float(value) => ValueRef::Number(Number::Float(*value)),
        other => return Err(format!("{} where a tensor or a number is expected", kind(other))),
    })
}

fn kind(operand: &Operand) -> &'static str {
    match operand {
        Operand::Complex(..) => "a complex number",
        Operand::String(_) => "a string",
        Operand::List(_) => "a list",
        Operand::Map(_) => "a dictionary",
        Operand::Graph(_) => "a graph",
        _ => "another kind of constant",
    }
}
