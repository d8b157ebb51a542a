//! Warm-up of cuDNN's convolutions.

use super::{WarmupTemplate, at_export, in_call, sizes};
use crate::graph::{Graph, Node, Operand, ValueId};
use crate::passes::memory_format;
use crate::passes::pt2_ops::{CUDNN, SPACE_TO_DEPTH};
use crate::program::schema::MemoryFormat;
use crate::program::symbol::Symbols;
use crate::program::{Bindings, Dim};
use crate::torch::{WarmupConv, dtype_to_torch};
use std::collections::HashSet;

/// Limit of a warm-up: a larger one would take memory that calls need.
const MOST_ELEMENTS: i64 = 1 << 26;

/// Convolution at its exported sizes, and its input sizes as expressions of the call's symbols.
#[derive(Debug)]
pub struct ConvTemplate {
    at_export: WarmupConv,
    input: Vec<Dim>,
}

impl WarmupTemplate for ConvTemplate {
    type Warmup = WarmupConv;

    fn all(graph: &Graph, symbols: &mut Symbols) -> Vec<ConvTemplate> {
        let last = channels_last(graph);
        graph.nodes.iter().filter_map(|node| ConvTemplate::of(graph, node, &last, symbols)).collect()
    }

    fn at(&self, call: Option<&Bindings>) -> Option<WarmupConv> {
        let input = in_call(&self.input, call).and_then(|sizes| sizes.try_into().ok());
        let warmup = WarmupConv { input: input.unwrap_or(self.at_export.input), ..self.at_export.clone() };
        (warmup.is_possible() && warmup.elements() <= MOST_ELEMENTS).then_some(warmup)
    }
}

impl ConvTemplate {
    fn of(
        graph: &Graph,
        node: &Node,
        last: &HashSet<ValueId>,
        symbols: &mut Symbols,
    ) -> Option<ConvTemplate> {
        if !node.is("pt2", CUDNN) {
            return None;
        }
        let (dims, input) = sizes(graph, node, "input", symbols)?;
        Some(ConvTemplate { at_export: warmup(graph, node, input, last)?, input: dims })
    }
}

fn warmup(graph: &Graph, node: &Node, input: Vec<i64>, last: &HashSet<ValueId>) -> Option<WarmupConv> {
    let value = |name: &str| node.argument(name)?.value();
    let there = |name: &str| value(name).is_some();
    let weight = value("weight")?;
    let meta = graph.meta(weight)?;
    Some(WarmupConv {
        dtype: dtype_to_torch(meta.dtype),
        input: input.try_into().ok()?,
        weight: at_export(&meta.sizes)?.try_into().ok()?,
        stride: pair(node, "stride")?,
        padding: pair(node, "padding")?,
        dilation: pair(node, "dilation")?,
        groups: if let Operand::Int(groups) = node.argument("groups")? { *groups } else { return None },
        channels_last: last.contains(&weight),
        bias: there("bias"),
        other: there("other"),
        relu: node.argument("relu") == Some(&Operand::Bool(true)),
    })
}

/// Returns the values that a node always writes in channels-last order.
fn channels_last(graph: &Graph) -> HashSet<ValueId> {
    let asked = |node: &Node| {
        memory_format(node) == Some(MemoryFormat::ChannelsLast) || node.is("pt2", SPACE_TO_DEPTH)
    };
    graph.nodes.iter().filter(|node| asked(node)).flat_map(Node::defined).collect()
}

fn pair(node: &Node, name: &str) -> Option<[i64; 2]> {
    node.argument(name)?.as_ints()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::ValueKind;
    use crate::plan::warmup::{FirstCall, WarmupQueue};
    use crate::program::schema::{PythonInt, SymExpr, SymExprHint, SymInt};

    const CALL: &str = "pt2::cudnn_convolution.default(input=%x, weight=%l, bias=none, other=%x, stride=[1, 1], \
                        padding=[1, 1], dilation=[1, 1], groups=1, relu=true, tuned=false)";

    fn graph(batch: &str) -> Graph {
        let image = format!("tensor<float16 [{batch}, 4, 8, 8] [256, 64, 8, 1]>");
        let weight = "tensor<float16 [4, 4, 3, 3] [36, 9, 3, 1]>";
        crate::graph::parse(&format!(
            "graph(%w: {weight}, %x: {image}) {{
               %l: {weight} = aten::clone.default(self=%w, memory_format=torch.channels_last)
               %a: {image} = {CALL}
               %b: {image} = {CALL}
               return (%a, %b)
             }}"
        ))
        .unwrap()
    }

    fn expected(batch: i64) -> WarmupConv {
        WarmupConv {
            dtype: dtype_to_torch(crate::program::schema::ScalarType::Half),
            input: [batch, 4, 8, 8],
            weight: [4, 4, 3, 3],
            padding: [1, 1],
            bias: false,
            other: true,
            ..WarmupConv::SMALL
        }
    }

    #[test]
    fn each_convolution_is_warmed_up_once_at_the_size_of_the_export() {
        let called = FirstCall::default();
        let found: Vec<WarmupConv> =
            WarmupQueue::<ConvTemplate>::of(&graph("2"), &Symbols::default(), &called).collect();
        assert_eq!(found, [expected(2)]);
    }

    #[test]
    fn a_call_that_has_come_decides_the_sizes() {
        let mut graph = graph("2");
        let x = graph.inputs[1];
        let ValueKind::Tensor(Some(meta)) = &mut graph.values[x.index()].kind else { panic!() };
        let hint = Some(SymExprHint::Int(PythonInt::Small(2)));
        meta.sizes[0] = SymInt::Expr(SymExpr { expr_str: "2*s0".into(), hint });
        let mut symbols = Symbols::default();
        symbols.intern("s0");
        let called = FirstCall::default();
        let mut all = WarmupQueue::<ConvTemplate>::of(&graph, &symbols, &called);
        assert_eq!(all.next(), Some(expected(2)));
        called.came(vec![Some(16)]);
        assert_eq!((all.next(), all.next()), (Some(expected(32)), None));
        let unbound = FirstCall::default();
        unbound.came(vec![None]);
        assert_eq!(WarmupQueue::<ConvTemplate>::of(&graph, &symbols, &unbound).next(), Some(expected(2)));
        let over = FirstCall::default();
        over.is_over();
        assert_eq!(WarmupQueue::<ConvTemplate>::of(&graph, &symbols, &over).next(), None);
    }
}
