//! Prims that change sizes.

use super::super::node_arguments::{require, take};
use super::{PrimLowering, call, last};
use crate::graph::{Node, Operand, Rewriter};
use crate::program::schema::MemoryFormat;

/// Part of [`super::SPELLED`].
pub const PRIMS: [PrimLowering; 4] = [
    PrimLowering {
        name: "broadcast_in_dim",
        parameters: "a shape broadcast_dimensions",
        write: broadcast_in_dim,
    },
    PrimLowering { name: "collapse", parameters: "a start end", write: collapse },
    PrimLowering { name: "reshape", parameters: "a shape", write: reshape },
    PrimLowering { name: "split_dim", parameters: "a dim outer_length", write: split_dim },
];

fn broadcast_in_dim(rewriter: &mut Rewriter<'_>, mut node: Node) -> Result<(), String> {
    let mut tensor = require(&mut node.inputs, "a")?;
    let shape = require(&mut node.inputs, "shape")?;
    let kept = take(&mut node.inputs, "broadcast_dimensions").and_then(|kept| kept.as_ints());
    let (Operand::List(sizes), Some(kept)) = (&shape, kept) else {
        return Err("its sizes or dimensions are no list".into());
    };
    for dim in (0..sizes.len() as i64).filter(|dim| !kept.contains(dim)) {
        tensor = call(rewriter, &node, "unsqueeze", [("self", tensor), ("dim", dim.into())]);
    }
    last(rewriter, node, "expand", [("self", tensor), ("size", shape)]);
    Ok(())
}

fn collapse(rewriter: &mut Rewriter<'_>, mut node: Node) -> Result<(), String> {
    let [tensor, start, end] = ["a", "start", "end"].map(|name| require(&mut node.inputs, name));
    let given = [("self", tensor?), ("start_dim", start?), ("end_dim", end?)];
    let collapsed = call(rewriter, &node, "flatten.using_ints", given);
    copy(rewriter, node, collapsed);
    Ok(())
}

fn reshape(rewriter: &mut Rewriter<'_>, mut node: Node) -> Result<(), String> {
    let [tensor, shape] = ["a", "shape"].map(|name| require(&mut node.inputs, name));
    let reshaped = call(rewriter, &node, "reshape", [("self", tensor?), ("shape", shape?)]);
    copy(rewriter, node, reshaped);
    Ok(())
}

fn copy(rewriter: &mut Rewriter<'_>, node: Node, tensor: Operand) {
    let format = Operand::MemoryFormat(MemoryFormat::ContiguousFormat);
    last(rewriter, node, "clone", [("self", tensor), ("memory_format", format)]);
}

fn split_dim(rewriter: &mut Rewriter<'_>, mut node: Node) -> Result<(), String> {
    let [tensor, dim, outer] = ["a", "dim", "outer_length"].map(|name| require(&mut node.inputs, name));
    let sizes = Operand::List(vec![outer?, Operand::Int(-1)]);
    last(rewriter, node, "unflatten.int", [("self", tensor?), ("dim", dim?), ("sizes", sizes)]);
    Ok(())
}
