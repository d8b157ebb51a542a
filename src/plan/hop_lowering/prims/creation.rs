//! Prims that make tensors, and tokens, which hold no data.

use super::super::node_arguments::{require, take, unnamed};
use super::{PrimLowering, call, last};
use crate::graph::{Node, Operand, Output, Rewriter, Target, ValueKind};

/// Part of [`super::SPELLED`].
pub const PRIMS: [PrimLowering; 5] = [
    PrimLowering { name: "_make_token", parameters: "", write: make_token },
    PrimLowering { name: "_sink_tokens", parameters: "tokens", write: sink_tokens },
    PrimLowering { name: "copy_strided", parameters: "a stride", write: copy_strided },
    PrimLowering { name: "iota", parameters: "length start step dtype device requires_grad", write: iota },
    PrimLowering {
        name: "uniform",
        parameters: "shape low high dtype device stride generator",
        write: uniform,
    },
];

fn make_token(rewriter: &mut Rewriter<'_>, node: Node) -> Result<(), String> {
    last(rewriter, node, "zeros", [("size", Operand::ints(&[0]))]);
    Ok(())
}

fn sink_tokens(_: &mut Rewriter<'_>, node: Node) -> Result<(), String> {
    match node.defined().next() {
        None => Ok(()),
        Some(_) => Err("it returns nothing".into()),
    }
}

fn copy_strided(rewriter: &mut Rewriter<'_>, mut node: Node) -> Result<(), String> {
    let [tensor, stride] = ["a", "stride"].map(|name| require(&mut node.inputs, name));
    let (tensor, stride) = (tensor?, stride?);
    let Operand::List(strides) = &stride else { return Err("its strides are no list".into()) };
    let sizes = (0..strides.len() as i64).map(|dim| size(rewriter, &node, &tensor, dim)).collect();
    let empty = [("self", tensor.clone()), ("size", Operand::List(sizes)), ("stride", stride)];
    let made = call(rewriter, &node, "new_empty_strided", empty);
    last(rewriter, node, "copy_", [("self", made), ("src", tensor)]);
    Ok(())
}

fn size(rewriter: &mut Rewriter<'_>, node: &Node, tensor: &Operand, dim: i64) -> Operand {
    let inputs = super::named_all([("self", tensor.clone()), ("dim", dim.into())]);
    number(rewriter, node, super::aten("sym_size.int"), inputs)
}

fn iota(rewriter: &mut Rewriter<'_>, mut node: Node) -> Result<(), String> {
    let [length, start, step] = ["length", "start", "step"].map(|name| require(&mut node.inputs, name));
    let [dtype, device] = ["dtype", "device"].map(|name| require(&mut node.inputs, name));
    let (start, step) = (start?, step?);
    let whole = arithmetic(rewriter, &node, "mul", i64::checked_mul, length?, step.clone())?;
    let end = arithmetic(rewriter, &node, "add", i64::checked_add, start.clone(), whole)?;
    let range = [("start", start), ("end", end), ("step", step), ("dtype", dtype?), ("device", device?)];
    last(rewriter, node, "arange.start_step", range);
    Ok(())
}

/// Returns the result of an operation on two ints: a constant if both are constants, else a node's
/// result.
fn arithmetic(
    rewriter: &mut Rewriter<'_>,
    node: &Node,
    name: &str,
    apply: fn(i64, i64) -> Option<i64>,
    left: Operand,
    right: Operand,
) -> Result<Operand, String> {
    if let (Operand::Int(left), Operand::Int(right)) = (&left, &right) {
        return apply(*left, *right).map(Operand::Int).ok_or_else(|| "its range does not fit 64 bits".into());
    }
    let target = Target::Python(format!("_operator.{name}"));
    Ok(number(rewriter, node, target, vec![unnamed(left), unnamed(right)]))
}

/// Adds a node beside this one and returns its result, an int.
fn number(
    rewriter: &mut Rewriter<'_>,
    node: &Node,
    target: Target,
    inputs: Vec<crate::graph::Argument>,
) -> Operand {
    let result = rewriter.value(&node.name, ValueKind::Int);
    let name = format!("{} ({target})", node.name);
    rewriter.push(Node {
        name,
        target,
        inputs,
        outputs: vec![Output::Value(result)],
        trace: node.trace.clone(),
        author: node.author,
    });
    Operand::Value(result)
}

fn uniform(rewriter: &mut Rewriter<'_>, mut node: Node) -> Result<(), String> {
    if !matches!(take(&mut node.inputs, "generator"), None | Some(Operand::None)) {
        return Err("no program holds a generator".into());
    }
    let mut given = |name| require(&mut node.inputs, name);
    let (low, high) = (given("low")?, given("high")?);
    let empty = [
        ("size", given("shape")?),
        ("stride", given("stride")?),
        ("dtype", given("dtype")?),
        ("device", given("device")?),
    ];
    let made = call(rewriter, &node, "empty_strided", empty);
    last(rewriter, node, "uniform_", [("self", made), ("from", low), ("to", high)]);
    Ok(())
}
