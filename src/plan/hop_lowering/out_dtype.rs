//! Lowers `out_dtype`.
//!
//! It computes an operator in the dtype that the operands and the result promote to
//! (`torch/_higher_order_ops/out_dtype.py`, 2.11).

use super::node_arguments::{named, unnamed};
use super::{helper, operator};
use crate::graph::{Argument, Node, Operand, Output, Rewriter, Target};
use crate::program::schema::ScalarType;

/// Operators that `out_dtype` may call: PyTorch's `ALLOWABLE_OPS`.
const OPERATORS: [(&str, &str); 8] = [
    ("linear", "default"),
    ("mm", "default"),
    ("conv2d", "default"),
    ("convolution", "default"),
    ("mul", "Tensor"),
    ("mul", "Scalar"),
    ("div", "Tensor"),
    ("div", "Scalar"),
];

/// Writes the operands' casts, the call and the cast of its result.
pub fn write(rewriter: &mut Rewriter<'_>, mut node: Node) -> Result<(), String> {
    let [called, dtype, ..] = node.inputs.as_slice() else {
        return Err("it takes an operator and a dtype".into());
    };
    let (target, Operand::ScalarType(dtype)) = (operator(&called.value)?, dtype.value.clone()) else {
        return Err("its dtype is none".into());
    };
    let [Output::Value(_)] = node.outputs.as_slice() else { return Err("it returns one tensor".into()) };
    check(&target)?;
    node.inputs.drain(..2);
    if target == Target::operator("aten", "mm", "default") && dtype == ScalarType::Int {
        node.target = Target::operator("pt2", "matmul_int32", "default");
        rewriter.push(node);
        return Ok(());
    }
    let casts = cast_operands(rewriter, &node, dtype);
    let result = helper(rewriter, &node, target, casts);
    node.inputs = vec![named("self", result), named("dtype", Operand::ScalarType(dtype))];
    node.target = Target::operator("aten", "to", "dtype");
    rewriter.push(node);
    Ok(())
}

fn check(target: &Target) -> Result<(), String> {
    let known = OPERATORS.iter().any(|(name, overload)| *target == Target::operator("aten", name, overload));
    known.then_some(()).ok_or_else(|| format!("it calls `{target}`, which PyTorch does not allow there"))
}

fn cast_operands(rewriter: &mut Rewriter<'_>, node: &Node, dtype: ScalarType) -> Vec<Argument> {
    let counts = |argument: &Argument| match &argument.value {
        value @ (Operand::Value(_) | Operand::Bool(_) | Operand::Int(_) | Operand::Float(_)) => {
            vec![value.clone()]
        }
        Operand::List(items) => items.clone(),
        _ => Vec::new(),
    };
    let operands: Vec<Operand> = node.inputs.iter().flat_map(counts).collect();
    let cast = |argument: &Argument| {
        let value = match &argument.value {
            tensor @ Operand::Value(id) if rewriter.is_tensor(*id) => {
                let inputs = vec![
                    unnamed(tensor.clone()),
                    unnamed(Operand::List(operands.clone())),
                    unnamed(Operand::ScalarType(dtype)),
                ];
                helper(rewriter, node, Target::operator("pt2", "promote", "default"), inputs)
            }
            other => other.clone(),
        };
        Argument { value, ..argument.clone() }
    };
    node.inputs.iter().map(cast).collect()
}
