//! Reinplacing: arithmetic writes over one of its operands at its last use.
//!
//! The result is the same bit for bit. On a CPU, page faults of newly allocated large results take
//! longer than the arithmetic. Runs after pointwise fusion, whose intermediate results need no
//! memory.

use super::changed::Changed;
use super::device_profile::DeviceProfile;
use super::graph_edit::GraphEdit;
use super::last_use::LastUse;
use super::recorded_strides::RecordedStrides;
use crate::Result;
use crate::graph::{Function, Graph, Node, Target, ValueId};
use crate::program::schema::{SymInt, TensorMeta};

/// Rewrites every operation whose operand has its last use there, if the result is large enough.
pub fn run(function: &mut Function, profile: &DeviceProfile) -> Result<Changed> {
    let Some(least) = profile.in_place else { return Ok(Changed::No) };
    if !function.graph.nodes.iter().any(|node| name(node).is_some()) {
        return Ok(Changed::No);
    }
    let last_use = LastUse::of(function);
    let recorded = RecordedStrides::of(&function.graph);
    let mut found = Vec::new();
    for (index, node) in function.graph.nodes.iter().enumerate() {
        let free = |side: &&str| {
            let value = node.argument(side).and_then(|operand| operand.value());
            let is_recorded = node.result().is_some_and(|result| recorded.are_exact(result));
            value.filter(|_| is_recorded).is_some_and(|value| {
                same_layout(&function.graph, node, value, least) && last_use.is_last(index, node, value)
            })
        };
        found.extend(sides(node).iter().copied().find(free).map(|side| (index, side)));
    }
    let mut rewrite = GraphEdit::new(&mut function.graph);
    found.into_iter().for_each(|(index, side)| rewrite.edit(index, |node| write_over(node, side)));
    Ok(rewrite.finish())
}

/// Returns the operator's name, if the pass supports it.
fn name(node: &Node) -> Option<&'static str> {
    let known = ["add", "sub", "mul", "div"];
    known.into_iter().find(|name| node.target == Target::operator("aten", name, "Tensor"))
}

/// Returns the arguments that may be overwritten: both if the operation is commutative.
fn sides(node: &Node) -> &'static [&'static str] {
    let tensors =
        ["self", "other"].iter().all(|side| node.argument(side).is_some_and(|o| o.value().is_some()));
    match name(node) {
        Some("add" | "mul") if tensors && node.inputs.len() == 2 => &["self", "other"],
        Some(_) if tensors => &["self"],
        _ => &[],
    }
}

/// Returns true if the value has the result's dtype, sizes and strides, and at least `least`
/// elements.
fn same_layout(graph: &Graph, node: &Node, value: ValueId, least: i64) -> bool {
    let (Some(side), Some(result)) = (graph.meta(value), node.result().and_then(|result| graph.meta(result)))
    else {
        return false;
    };
    side.dtype == result.dtype
        && side.sizes == result.sizes
        && side.strides == result.strides
        && elements(side).is_some_and(|elements| elements >= least)
}

fn elements(meta: &TensorMeta) -> Option<i64> {
    meta.sizes.iter().map(SymInt::at_export).try_fold(1_i64, |all, size| all.checked_mul(size?))
}

/// Turns the node into its in-place form, whose schema has the written argument first.
fn write_over(node: &mut Node, side: &str) {
    let Some(name) = name(node) else { return };
    node.target = Target::operator("aten", &format!("{name}_"), "Tensor");
    if side == "other" {
        node.inputs.iter_mut().for_each(|argument| {
            argument.name = if argument.name == "other" { "self" } else { "other" }.into();
        });
        node.inputs.reverse();
    }
}
