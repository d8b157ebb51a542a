//! Views of bases that `auto_functionalized_v2` writes to.
//!
//! Arguments of the node describe each view. Their names begin with the name of the operator's
//! argument (`read_view_information_from_args`, 2.11).

use super::helper;
use super::node_arguments::{named, require, take};
use crate::graph::{Argument, Node, Operand, Rewriter, Target};

/// Removes the descriptions from the arguments and returns each operator argument that they
/// describe.
pub fn restore(
    rewriter: &mut Rewriter<'_>,
    node: &Node,
    arguments: &mut Vec<Argument>,
    bases: &[Operand],
) -> Result<Vec<(String, Operand)>, String> {
    let mut restored = Vec::new();
    while let Some(name) = described(arguments, "_length") {
        restored.push((name.clone(), list(rewriter, node, arguments, bases, &name)?));
    }
    while let Some(name) = described(arguments, "_base_index") {
        restored.push((name.clone(), view(rewriter, node, arguments, bases, &format!("_{name}"))?));
    }
    Ok(restored)
}

/// Returns the first operator argument that has a description with this ending.
fn described(arguments: &[Argument], ending: &str) -> Option<String> {
    let name = |argument: &Argument| {
        Some(argument.name.strip_prefix('_')?.strip_suffix(ending)?.to_owned())
            .filter(|name| !name.is_empty())
    };
    arguments.iter().find_map(name)
}

fn list(
    rewriter: &mut Rewriter<'_>,
    node: &Node,
    arguments: &mut Vec<Argument>,
    bases: &[Operand],
    name: &str,
) -> Result<Operand, String> {
    let length = match require(arguments, &format!("_{name}_length"))? {
        Operand::None => return Ok(Operand::None),
        Operand::Int(length) => length,
        _ => return Err(format!("the length of `{name}` is no number")),
    };
    // Each element needs an argument of its own, so a false length fails at the first that is
    // missing.
    let each = |index| view(rewriter, node, arguments, bases, &format!("_{name}_{index}"));
    (0..length).map(each).collect::<Result<_, _>>().map(Operand::List)
}

fn view(
    rewriter: &mut Rewriter<'_>,
    node: &Node,
    arguments: &mut Vec<Argument>,
    bases: &[Operand],
    prefix: &str,
) -> Result<Operand, String> {
    let base = match require(arguments, &format!("{prefix}_base_index"))? {
        Operand::None => return Ok(Operand::None),
        Operand::Int(index) => usize::try_from(index).ok().and_then(|index| bases.get(index)),
        _ => None,
    };
    let base = base.ok_or_else(|| format!("`{prefix}_base_index` names no base"))?.clone();
    let mut part = |name: &str| take(arguments, &format!("{prefix}_{name}"));
    if part("alias").is_some() {
        return Ok(helper(
            rewriter,
            node,
            Target::operator("aten", "alias", "default"),
            vec![named("self", base)],
        ));
    }
    if let (Some(size), Some(stride), Some(offset)) = (part("size"), part("stride"), part("storage_offset")) {
        let described = [("self", base), ("size", size), ("stride", stride), ("storage_offset", offset)];
        return Ok(helper(rewriter, node, Target::operator("aten", "as_strided", "default"), all(described)));
    }
    if let (Some(dim), Some(start), Some(end)) = (part("slice_dim"), part("slice_start"), part("slice_end")) {
        let described = [("self", base), ("dim", dim), ("start", start), ("end", end)];
        return Ok(helper(rewriter, node, Target::operator("aten", "slice", "Tensor"), all(described)));
    }
    Ok(base)
}

fn all(arguments: [(&str, Operand); 4]) -> Vec<Argument> {
    arguments.into_iter().map(|(name, value)| named(name, value)).collect()
}
