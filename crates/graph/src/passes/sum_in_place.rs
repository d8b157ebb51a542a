//! Sums in place: a convolution with a sum on oneDNN writes over the other operand at its last use.
//!
//! The call that allocates its result makes a contiguous copy of the other operand and adds it in a
//! slower kernel. See `mkldnn_convolution_pointwise_binary` and
//! `mkldnn_convolution_pointwise_binary_` of `aten/src/ATen/native/mkldnn/Conv.cpp` (2.11).
//!
//! Runs after the memory formats are final. Only results of other oneDNN convolutions are written
//! over: these are channels-last, as the call requires.

use super::changed::Changed;
use super::graph_edit::GraphEdit;
use super::last_use::LastUse;
use super::pt2_ops::{ONEDNN, ONEDNN_IN_PLACE};
use crate::Result;
use crate::graph::{Argument, Function, Node, Operand, Target, ValueId};
use std::collections::HashSet;

/// Rewrites every such sum whose other operand has its last use there.
pub fn run(function: &mut Function) -> Result<Changed> {
    let last_use = LastUse::of(function);
    let mut made = HashSet::new();
    let mut found = Vec::new();
    for (index, node) in function.graph.nodes.iter().enumerate() {
        if !node.is("pt2", ONEDNN) {
            continue;
        }
        let other = node.argument("other").and_then(Operand::value);
        let free = |other: &ValueId| made.contains(other) && last_use.is_last(index, node, *other);
        found.extend(other.filter(free).map(|_| index));
        made.extend(node.result());
    }
    let mut rewrite = GraphEdit::new(&mut function.graph);
    found.into_iter().for_each(|index| rewrite.edit(index, write_in_place));
    Ok(rewrite.finish())
}

/// Turns the call into its in-place form, whose schema has the written argument first. It supports
/// the same activations as the other call with a sum.
fn write_in_place(node: &mut Node) {
    node.target = Target::operator("pt2", ONEDNN_IN_PLACE, "default");
    node.inputs.sort_by_key(|argument: &Argument| argument.name != "other");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{InputBinding, OutputBinding, parse};

    const FIRST: &str = "%a: tensor = pt2::onednn_convolution.default(input=%x, weight=%w)";
    const SUM: &str =
        "%b: tensor = pt2::onednn_convolution.default(input=%x, weight=%w, other=%a, activation=\"relu\")";

    /// Runs the pass on a graph of these nodes, and returns the result as text.
    fn after(nodes: &[&str], returned: &str) -> (Changed, String) {
        let text = format!("graph(%x: tensor, %w: tensor) {{ {} return ({returned}) }}", nodes.join("\n"));
        let graph = parse(&text).unwrap();
        let inputs = vec![InputBinding::User; 2];
        let outputs = vec![OutputBinding::User; graph.outputs.len()];
        let mut function = Function { graph, inputs, outputs };
        let changed = run(&mut function).unwrap();
        function.graph.verify().unwrap();
        (changed, function.graph.to_string())
    }

    fn is_kept(nodes: &[&str], returned: &str) -> bool {
        after(nodes, returned).0 == Changed::No
    }

    #[test]
    fn what_nobody_needs_any_more_is_written_over() {
        let (changed, text) = after(&[FIRST, SUM], "%b");
        assert_eq!(changed, Changed::Yes);
        assert!(text.contains("pt2::onednn_convolution_.default(other=%a, input=%x"), "{text}");
    }

    #[test]
    fn one_after_the_other() {
        let again = SUM.replace("%b: ", "%c: ").replace("=%a", "=%b").replace("input=%x", "input=%r");
        let reads = "%r: tensor = aten::relu.default(self=%b)";
        let (_, text) = after(&[FIRST, SUM, reads, &again], "%c");
        assert_eq!(text.matches("onednn_convolution_.default").count(), 2, "{text}");
    }

    #[test]
    fn what_is_needed_is_kept() {
        assert!(is_kept(&[FIRST, SUM, "%c: tensor = aten::neg.default(self=%a)"], "%b, %c"));
        assert!(is_kept(&[FIRST, SUM], "%a, %b"));
        let view = "%v: tensor = aten::view.default(self=%a, size=[4])";
        assert!(is_kept(&[FIRST, view, SUM], "%v, %b"));
        assert!(is_kept(&[FIRST, view, SUM, "%c: tensor = aten::neg.default(self=%v)"], "%b, %c"));
        let unknown = "%u: tensor = my_lib::op.default(self=%a)";
        assert!(is_kept(&[FIRST, unknown, SUM, "%c: tensor = aten::neg.default(self=%u)"], "%b, %c"));
    }

    #[test]
    fn what_the_convolution_itself_reads_is_kept() {
        assert!(is_kept(&[FIRST, &SUM.replace("input=%x", "input=%a")], "%b"));
        let view = "%v: tensor = aten::view.default(self=%a, size=[4])";
        assert!(is_kept(&[FIRST, view, &SUM.replace("input=%x", "input=%v")], "%b"));
    }

    #[test]
    fn what_may_lie_in_another_order_is_kept() {
        assert!(is_kept(&[&SUM.replace("=%a", "=%w")], "%b"));
        assert!(is_kept(&["%a: tensor = aten::neg.default(self=%x)", SUM], "%b"));
    }
}
