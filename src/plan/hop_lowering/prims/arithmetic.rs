//! Prims that compute.

use super::super::node_arguments::{require, take};
use super::{PrimLowering, call, last};
use crate::graph::{Node, Operand, Rewriter, ValueKind};
use crate::program::schema::ScalarType;

/// Part of [`super::SPELLED`].
pub const PRIMS: [PrimLowering; 4] = [
    PrimLowering { name: "cbrt", parameters: "self", write: cube_root },
    PrimLowering { name: "div", parameters: "self other", write: divide },
    PrimLowering { name: "fma", parameters: "a b c", write: multiply_add },
    PrimLowering { name: "prod", parameters: "inp dims output_dtype", write: product },
];

fn cube_root(rewriter: &mut Rewriter<'_>, mut node: Node) -> Result<(), String> {
    let given = require(&mut node.inputs, "self")?;
    let magnitude = call(rewriter, &node, "abs", [("self", given.clone())]);
    let third = [("self", magnitude), ("exponent", Operand::Float(1.0 / 3.0))];
    let root = call(rewriter, &node, "pow.Tensor_Scalar", third);
    last(rewriter, node, "copysign.Tensor", [("self", root), ("other", given)]);
    Ok(())
}

/// Lowers division: integers truncate, all other dtypes divide exactly (`_div_aten`, 2.11).
fn divide(rewriter: &mut Rewriter<'_>, mut node: Node) -> Result<(), String> {
    let [left, right] = ["self", "other"].map(|name| require(&mut node.inputs, name));
    let (left, right) = (left?, right?);
    if is_integral(rewriter, &left)? {
        let given = [("self", left), ("other", right), ("rounding_mode", "trunc".into())];
        last(rewriter, node, "div.Tensor_mode", given);
    } else {
        last(rewriter, node, "div.Tensor", [("self", left), ("other", right)]);
    }
    Ok(())
}

fn is_integral(rewriter: &Rewriter<'_>, operand: &Operand) -> Result<bool, String> {
    match operand {
        Operand::Bool(_) | Operand::Int(_) => Ok(true),
        Operand::Float(_) | Operand::Complex(..) => Ok(false),
        Operand::Value(id) => match rewriter.kind(*id) {
            Some(ValueKind::Tensor(Some(meta))) => Ok(is_integral_dtype(meta.dtype)),
            Some(ValueKind::Int | ValueKind::Bool) => Ok(true),
            Some(ValueKind::Float) => Ok(false),
            _ => Err("the dtype of `self` is not recorded in the archive".into()),
        },
        _ => Err("`self` is no tensor and no number".into()),
    }
}

/// Returns true for integers and bool, as `is_integer_dtype` does
/// (`torch/_prims_common/__init__.py`, 2.11).
fn is_integral_dtype(dtype: ScalarType) -> bool {
    use ScalarType::*;
    matches!(dtype, Bool | Byte | UInt16 | UInt32 | UInt64 | Char | Short | Int | Long)
}

fn multiply_add(rewriter: &mut Rewriter<'_>, mut node: Node) -> Result<(), String> {
    let [a, b, c] = ["a", "b", "c"].map(|name| require(&mut node.inputs, name));
    let multiplied = call(rewriter, &node, "mul.Tensor", [("self", a?), ("other", b?)]);
    last(rewriter, node, "add.Tensor", [("self", multiplied), ("other", c?)]);
    Ok(())
}

/// Lowers a product, which reduces one dimension after another, starting with the last
/// (`_prod_aten`, 2.11).
fn product(rewriter: &mut Rewriter<'_>, mut node: Node) -> Result<(), String> {
    if !matches!(take(&mut node.inputs, "output_dtype"), None | Some(Operand::None)) {
        return Err("the argument `output_dtype` has no implementation".into());
    }
    let mut tensor = require(&mut node.inputs, "inp")?;
    let dims = take(&mut node.inputs, "dims").unwrap_or(Operand::None);
    if dims == Operand::None {
        last(rewriter, node, "prod", [("self", tensor)]);
        return Ok(());
    }
    let mut dims = dims.as_ints().ok_or("its dimensions are no list of ints")?;
    dims.sort_unstable();
    let Some((first, others)) = dims.split_first() else {
        last(rewriter, node, "clone", [("self", tensor)]);
        return Ok(());
    };
    for dim in others.iter().rev() {
        tensor = call(rewriter, &node, "prod.dim_int", [("self", tensor), ("dim", (*dim).into())]);
    }
    last(rewriter, node, "prod.dim_int", [("self", tensor), ("dim", (*first).into())]);
    Ok(())
}
