//! Lowers `auto_functionalized` and `auto_functionalized_v2`.
//!
//! Each calls an operator that writes to its arguments, on copies that it also returns
//! (`torch/_higher_order_ops/auto_functionalize.py`, 2.11).

use super::node_arguments::{named, require, take, unnamed};
use super::{base_views, helper, operator, returns};
use crate::graph::{Argument, Node, Operand, Output, Rewriter, Target};
use crate::torch::Operator;

/// Lowers the first form, which copies every argument that the schema declares as written.
pub fn v1(rewriter: &mut Rewriter<'_>, mut node: Node) -> Result<(), String> {
    let target = called(&mut node)?;
    let only = take(&mut node.inputs, "_only_clone_these_tensors").unwrap_or(Operand::None);
    // An operator that this process lacks has no written arguments here. The plan reports it with
    // all others.
    let written = written_arguments(&target);
    let own =
        node.outputs.len().checked_sub(written.len()).ok_or("it returns fewer values than it copies")?;
    let copies = node.outputs.split_off(own);
    for (name, output) in written.into_iter().zip(copies) {
        let Some(argument) = node.inputs.iter().position(|argument| argument.name == name) else {
            return Err(format!("the argument `{name}` is missing"));
        };
        let mut value = std::mem::replace(&mut node.inputs[argument].value, Operand::None);
        if chooses(&only, |item| matches!(item, Operand::String(text) if *text == name)) {
            value = copy(rewriter, &node, value);
        }
        hand_over(rewriter, output, &value)?;
        node.inputs[argument].value = value;
    }
    finish(rewriter, node, target);
    Ok(())
}

/// Lowers the second form, whose written arguments are views of bases; it copies the bases.
pub fn v2(rewriter: &mut Rewriter<'_>, mut node: Node) -> Result<(), String> {
    let target = called(&mut node)?;
    let only = take(&mut node.inputs, "_only_clone_these_bases").unwrap_or(Operand::None);
    let Operand::List(mut bases) = require(&mut node.inputs, "_all_bases")? else {
        return Err("`_all_bases` is no list".into());
    };
    let own =
        node.outputs.len().checked_sub(bases.len()).ok_or("it returns fewer values than it has bases")?;
    let copies = node.outputs.split_off(own);
    for ((index, base), output) in (0..).zip(&mut bases).zip(copies) {
        if chooses(&only, |item| *item == Operand::Int(index)) {
            *base = copy(rewriter, &node, std::mem::replace(base, Operand::None));
        }
        hand_over(rewriter, output, base)?;
    }
    let mut arguments = std::mem::take(&mut node.inputs);
    let written = base_views::restore(rewriter, &node, &mut arguments, &bases)?;
    node.inputs = arguments;
    node.inputs.extend(written.into_iter().map(|(name, value)| named(&name, value)));
    finish(rewriter, node, target);
    Ok(())
}

fn called(node: &mut Node) -> Result<Target, String> {
    if node.inputs.is_empty() {
        return Err("it names no operator".into());
    }
    match operator(&node.inputs.remove(0).value)? {
        Target::Operator { namespace, name, overload } => Ok(Target::Operator { namespace, name, overload }),
        other => Err(format!("it calls `{other}`, which is no operator of the dispatcher")),
    }
}

fn written_arguments(target: &Target) -> Vec<String> {
    let Target::Operator { namespace, name, overload } = target else { return Vec::new() };
    let Some(operator) = Operator::find(namespace, name, overload) else { return Vec::new() };
    let names = operator.arguments().map(String::from).enumerate();
    names.filter(|(index, _)| operator.writes(*index)).map(|(_, name)| name).collect()
}

/// Returns true if an item is among those to copy; None means all.
fn chooses(only: &Operand, is_it: impl Fn(&Operand) -> bool) -> bool {
    match only {
        Operand::List(items) => items.iter().any(is_it),
        _ => true,
    }
}

/// Copies a tensor with its strides, or each tensor of a list. None is returned as None.
fn copy(rewriter: &mut Rewriter<'_>, node: &Node, value: Operand) -> Operand {
    match value {
        Operand::List(items) => {
            Operand::List(items.into_iter().map(|item| copy(rewriter, node, item)).collect())
        }
        Operand::None => Operand::None,
        tensor => {
            let target = Target::operator("pt2", "clone_memory", "default");
            helper(rewriter, node, target, vec![unnamed(tensor)])
        }
    }
}

/// Replaces the output for a copy by the copy.
fn hand_over(rewriter: &mut Rewriter<'_>, output: Output, copied: &Operand) -> Result<(), String> {
    match (output, copied) {
        (Output::None, _) => Ok(()),
        (Output::Value(value), copied) => {
            rewriter.replace(value, copied.clone());
            Ok(())
        }
        (Output::List(values), Operand::List(items)) if values.len() == items.len() => {
            for (value, item) in values.iter().zip(items) {
                if let Some(value) = value {
                    rewriter.replace(*value, item.clone());
                }
            }
            Ok(())
        }
        (Output::List(_), _) => Err("it returns a list for what is none, or one of another length".into()),
    }
}

fn finish(rewriter: &mut Rewriter<'_>, mut node: Node, target: Target) {
    node.outputs = returns(&node.outputs);
    node.target = target;
    node.inputs.iter_mut().for_each(|argument: &mut Argument| argument.keyword = Some(true));
    rewriter.push(node);
}
