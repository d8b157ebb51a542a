//! Lowers `prims`, which PyTorch registers from Python only, to the `aten` calls of its own
//! implementations.
//!
//! Source: `torch/_prims/__init__.py` and `torch/_inductor/inductor_prims.py`, 2.11.

mod arithmetic;
mod creation;
mod renamed;
mod shape;

use super::{HopLowering, helper};
use crate::graph::{Argument, Node, Operand, Rewriter, Target};

/// Prim with the names of its parameters, in order.
struct PrimLowering {
    name: &'static str,
    parameters: &'static str,
    write: HopLowering,
}

/// Prims lowered to several calls, or to a call that depends on the arguments.
const SPELLED: [&[PrimLowering]; 3] = [&arithmetic::PRIMS, &creation::PRIMS, &shape::PRIMS];

/// Returns the lowering of the prim of this name; None for an unknown name.
pub fn lowering_of(name: &str) -> Option<HopLowering> {
    let known = find(name).is_some() || renamed::find(name).is_some();
    known.then_some(write as HopLowering)
}

fn find(name: &str) -> Option<&'static PrimLowering> {
    SPELLED.iter().flat_map(|prims| prims.iter()).find(|prim| prim.name == name)
}

fn write(rewriter: &mut Rewriter<'_>, mut node: Node) -> Result<(), String> {
    let Target::Operator { name, .. } = &node.target else { return Err("it is no operator".into()) };
    if let Some(prim) = find(name) {
        name_arguments(&mut node.inputs, prim.parameters.split(' '))?;
        return (prim.write)(rewriter, node);
    }
    let row = renamed::find(name).ok_or("it has no lowering")?;
    renamed::write(rewriter, node, row)
}

/// Names the arguments that were passed by position. Fails for arguments that the prim does not
/// have.
fn name_arguments<'a>(
    arguments: &mut [Argument],
    parameters: impl Iterator<Item = &'a str> + Clone,
) -> Result<(), String> {
    for (index, argument) in arguments.iter_mut().enumerate() {
        if argument.name.is_empty() {
            let name = parameters.clone().nth(index).ok_or("it has too many arguments")?;
            argument.name = name.into();
        } else if !parameters.clone().any(|name| name == argument.name) {
            return Err(format!("it has no argument `{}`", argument.name.escape_debug()));
        }
    }
    Ok(())
}

fn aten(operator: &str) -> Target {
    let (name, overload) = operator.split_once('.').unwrap_or((operator, "default"));
    Target::operator("aten", name, overload)
}

/// Makes arguments by name.
fn named_all<const N: usize>(arguments: [(&str, Operand); N]) -> Vec<Argument> {
    arguments.into_iter().map(|(name, value)| super::node_arguments::named(name, value)).collect()
}

/// Adds a call beside the node and returns its result.
fn call<const N: usize>(
    rewriter: &mut Rewriter<'_>,
    node: &Node,
    operator: &str,
    arguments: [(&str, Operand); N],
) -> Operand {
    helper(rewriter, node, aten(operator), named_all(arguments))
}

/// Writes the call whose results are the node's own.
fn last<const N: usize>(
    rewriter: &mut Rewriter<'_>,
    mut node: Node,
    operator: &str,
    arguments: [(&str, Operand); N],
) {
    node.target = aten(operator);
    node.inputs = named_all(arguments);
    rewriter.push(node);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_by_position_get_their_names_and_others_are_refused() {
        let given = |name: &str| super::super::node_arguments::named(name, Operand::None);
        let mut inputs = vec![given(""), given("dims")];
        name_arguments(&mut inputs, "a dims".split(' ')).unwrap();
        assert_eq!(inputs.iter().map(|input| input.name.as_str()).collect::<Vec<_>>(), ["a", "dims"]);
        assert!(name_arguments(&mut [given(""), given(""), given("")], "a dims".split(' ')).is_err());
        assert!(name_arguments(&mut [given("more")], "a dims".split(' ')).is_err());
    }
}
