//! Identity removal: removes nodes that return their input, such as dropout in inference.

use super::changed::Changed;
use super::graph_edit::GraphEdit;
use super::op_effects;
use crate::Result;
use crate::graph::{Function, Node, Operand, ValueId};

/// Removes them from the program's own graph.
pub fn run(function: &mut Function) -> Result<Changed> {
    let found: Vec<(usize, ValueId, ValueId)> = function
        .graph
        .nodes
        .iter()
        .enumerate()
        .filter_map(|(index, node)| passed_through(node).map(|(from, to)| (index, from, to)))
        .collect();
    let mut rewrite = GraphEdit::new(&mut function.graph);
    for (index, from, to) in found {
        rewrite.remove(index);
        rewrite.substitute(to, from);
    }
    Ok(rewrite.finish())
}

/// Returns input and result of a dropout in inference. `dropout` of
/// `aten/src/ATen/native/Dropout.cpp` (2.11) then returns its input itself.
fn passed_through(node: &Node) -> Option<(ValueId, ValueId)> {
    let dropout = ["dropout", "dropout_", "feature_dropout", "feature_dropout_"];
    let found = dropout.iter().any(|name| node.is_aten(name)) && op_effects::passes_through(node);
    let input = node.argument("input").or_else(|| node.argument("self")).and_then(Operand::value);
    found.then_some((input?, node.result()?))
}
