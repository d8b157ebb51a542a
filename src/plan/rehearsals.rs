//! What to run on a CUDA device before the first call, so that kernels are loaded beside other work.

use crate::graph::{Graph, Node, Operand, ValueId};
use crate::passes::CUDNN;
use crate::program::schema::{MemoryFormat, SymInt};
use crate::torch::{Rehearsal, dtype_to_torch};
use std::collections::HashSet;

/// Larger ones would take memory that the calls need.
const MOST_ELEMENTS: i64 = 1 << 24;

/// Each convolution of cuDNN in a graph once, in the order in which they run, at the sizes of the export: what a call
/// comes with is not known yet, but other batches use much the same kernels.
pub fn rehearsals(graph: &Graph) -> Vec<Rehearsal> {
    let last = channels_last(graph);
    let mut seen = HashSet::new();
    let all = graph.nodes.iter().filter_map(|node| rehearsal(graph, node, &last));
    all.filter(|found| found.elements() <= MOST_ELEMENTS && seen.insert(found.clone())).collect()
}

fn rehearsal(graph: &Graph, node: &Node, channels_last: &HashSet<ValueId>) -> Option<Rehearsal> {
    if !node.is("pt2", CUDNN) {
        return None;
    }
    let value = |name: &str| node.argument(name)?.value();
    let there = |name: &str| value(name).is_some();
    let (input, weight) = (value("input")?, value("weight")?);
    Some(Rehearsal {
        dtype: dtype_to_torch(graph.meta(input)?.dtype),
        input: sizes(graph, input)?,
        weight: sizes(graph, weight)?,
        stride: pair(node, "stride")?,
        padding: pair(node, "padding")?,
        dilation: pair(node, "dilation")?,
        groups: if let Operand::Int(groups) = node.argument("groups")? { *groups } else { return None },
        channels_last: channels_last.contains(&weight),
        bias: there("bias"),
        other: there("other"),
        relu: node.argument("relu") == Some(&Operand::Bool(true)),
    })
}

/// Which values a node writes with channels innermost because it was asked to.
fn channels_last(graph: &Graph) -> HashSet<ValueId> {
    let asked = |node: &Node| {
        node.argument("memory_format") == Some(&Operand::MemoryFormat(MemoryFormat::ChannelsLast))
    };
    graph.nodes.iter().filter(|node| asked(node)).flat_map(Node::defined).collect()
}

fn sizes(graph: &Graph, value: ValueId) -> Option<[i64; 4]> {
    let sizes: Vec<i64> = graph.meta(value)?.sizes.iter().map(SymInt::at_export).collect::<Option<_>>()?;
    sizes.try_into().ok()
}

fn pair(node: &Node, name: &str) -> Option<[i64; 2]> {
    node.argument(name)?.as_ints()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_convolution_is_rehearsed_once_at_the_size_of_the_export() {
        let call = "pt2::cudnn_convolution.default(input=%x, weight=%l, bias=none, other=%x, stride=[1, 1], \
                    padding=[1, 1], dilation=[1, 1], groups=1, relu=true, tuned=false)";
        let image = "tensor<float16 [2, 4, 8, 8] [256, 64, 8, 1]>";
        let weight = "tensor<float16 [4, 4, 3, 3] [36, 9, 3, 1]>";
        let text = format!(
            "graph(%w: {weight}, %x: {image}) {{
               %l: {weight} = aten::clone.default(self=%w, memory_format=torch.channels_last)
               %a: {image} = {call}
               %b: {image} = {call}
               return (%a, %b)
             }}"
        );
        let found = rehearsals(&crate::graph::parse(&text).unwrap());
        let expected = Rehearsal {
            dtype: dtype_to_torch(crate::program::schema::ScalarType::Half),
            input: [2, 4, 8, 8],
            weight: [4, 4, 3, 3],
            padding: [1, 1],
            bias: false,
            other: true,
            ..Rehearsal::SMALL
        };
        assert_eq!(found, [expected]);
    }
}
