//! `with_effects`: an operator with side effects, and a token that says after which others it comes. Nodes run in
//! order here, so the token is whatever came in and no operator gets it.

use super::{operator, returns};
use crate::graph::{Node, Output, Rewriter};

/// Writes the call; the new token is the old one (`with_effects_dense` of `torch/_higher_order_ops/effects.py`,
/// 2.11).
pub fn write(rewriter: &mut Rewriter<'_>, mut node: Node) -> Result<(), String> {
    if node.inputs.len() < 2 || node.outputs.is_empty() {
        return Err("it takes a token and an operator and returns a token".into());
    }
    let token = node.inputs.remove(0).value;
    node.target = operator(&node.inputs.remove(0).value)?;
    match node.outputs.remove(0) {
        Output::Value(next) => rewriter.replace(next, token),
        Output::None => {}
        Output::List(_) => return Err("its token is a list".into()),
    }
    node.outputs = returns(&node.outputs);
    rewriter.push(node);
    Ok(())
}
