//! Lowers `with_effects`: an operator with side effects, ordered by a token.
//!
//! Nodes run in order, so no operator needs the token: it passes through.

use super::{operator, returns};
use crate::graph::{Node, Output, Rewriter};

/// Writes the call and replaces the new token by the old one.
///
/// Source: `with_effects_dense` in `torch/_higher_order_ops/effects.py`, 2.11.
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
