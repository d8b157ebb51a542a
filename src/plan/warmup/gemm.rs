//! Warm-up of matrix products with weights.

use super::{WarmupTemplate, at_export, in_call, sizes};
use crate::graph::{Graph, Node};
use crate::passes::pt2_ops::ADDMM_RELU;
use crate::program::symbol::Symbols;
use crate::program::{Bindings, Dim};
use crate::torch::{GemmKind, WarmupGemm, dtype_to_torch};

/// Limit of a warm-up: a larger one would take memory that calls need.
const MOST_ELEMENTS: i64 = 1 << 24;

/// Product at its exported sizes, and the sizes of its left side as expressions of the call's
/// symbols.
#[derive(Debug)]
pub struct GemmTemplate {
    at_export: WarmupGemm,
    left: Vec<Dim>,
}

impl WarmupTemplate for GemmTemplate {
    type Warmup = WarmupGemm;

    fn all(graph: &Graph, symbols: &mut Symbols) -> Vec<GemmTemplate> {
        graph.nodes.iter().filter_map(|node| GemmTemplate::of(graph, node, symbols)).collect()
    }

    fn at(&self, call: Option<&Bindings>) -> Option<WarmupGemm> {
        let left = in_call(&self.left, call).unwrap_or_else(|| self.at_export.left.clone());
        let product = WarmupGemm { left, ..self.at_export.clone() };
        (product.is_possible() && product.elements() <= MOST_ELEMENTS).then_some(product)
    }
}

impl GemmTemplate {
    fn of(graph: &Graph, node: &Node, symbols: &mut Symbols) -> Option<GemmTemplate> {
        let (kind, left, right) = [
            ("linear", GemmKind::Linear, "input", "weight"),
            ("addmm", GemmKind::Addmm, "mat1", "mat2"),
            ("mm", GemmKind::Mm, "self", "mat2"),
            (ADDMM_RELU, GemmKind::Rectified, "mat1", "mat2"),
        ]
        .into_iter()
        .find_map(|(name, kind, left, right)| {
            (node.is_aten(name) || node.is("pt2", name)).then_some((kind, left, right))
        })?;
        let (dims, left) = sizes(graph, node, left, symbols)?;
        let meta = graph.meta(node.argument(right)?.value()?)?;
        let product = WarmupGemm {
            kind,
            dtype: dtype_to_torch(meta.dtype),
            left,
            right: at_export(&meta.sizes)?.try_into().ok()?,
            columns_first: at_export(&meta.strides)?.first() == Some(&1),
            bias: node.argument("bias").is_some_and(|bias| bias.value().is_some()),
        };
        Some(GemmTemplate { at_export: product, left: dims })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::warmup::{FirstCall, WarmupQueue};
    use std::time::Duration;

    #[test]
    fn products_with_weights_are_found() {
        let graph = crate::graph::parse(
            "graph(%w: tensor<float32 [5, 3] [3, 1]>, %b: tensor<float32 [5] [1]>, %x: tensor<float32 [4, 2, 3] [6, 3, 1]>, \
                   %y: tensor<float32 [2, 3] [3, 1]>, %t: tensor<float32 [3, 5] [1, 3]>) {
               %l: tensor = aten::linear.default(input=%x, weight=%w, bias=%b)
               %m: tensor = aten::addmm.default(self=%b, mat1=%y, mat2=%t)
               %n: tensor = aten::linear.default(input=%x, weight=%w, bias=%b)
               return (%l, %m, %n)
             }",
        )
        .unwrap();
        let call = FirstCall::default();
        let found: Vec<WarmupGemm> =
            WarmupQueue::<GemmTemplate>::of(&graph, &Symbols::default(), &call).collect();
        let (linear, float) = (GemmKind::Linear, dtype_to_torch(crate::program::schema::ScalarType::Float));
        let left = vec![4, 2, 3];
        let first =
            WarmupGemm { kind: linear, dtype: float, left, right: [5, 3], columns_first: false, bias: true };
        let (kind, left, right) = (GemmKind::Addmm, vec![2, 3], [3, 5]);
        let second = WarmupGemm { kind, dtype: float, left, right, columns_first: true, bias: false };
        assert_eq!(found, [first, second]);
    }

    #[test]
    fn sizes_of_a_late_call_are_warmed_up_too() {
        let graph = crate::graph::parse(
            "graph(%w: tensor<float32 [5, 3] [3, 1]>, %x: tensor<float32 [\"Symbol('s0')\"~4, 3] [3, 1]>) {
               %l: tensor = aten::linear.default(input=%x, weight=%w)
               return (%l)
             }",
        )
        .unwrap();
        let mut symbols = Symbols::default();
        symbols.intern("s0");
        let rows = |patience: Option<u64>, called: Option<i64>| {
            let call = FirstCall::default();
            let all = WarmupQueue::<GemmTemplate>::of(&graph, &symbols, &call);
            let mut all = match patience {
                Some(seconds) => all.patient(Duration::from_secs(seconds)),
                None => all,
            };
            let mut found: Vec<i64> = all.by_ref().take(1).map(|product| product.left[0]).collect();
            match called {
                Some(batch) => call.came(vec![Some(batch)]),
                None => call.is_over(),
            }
            found.extend(all.map(|product| product.left[0]));
            found
        };
        assert_eq!(rows(Some(600), Some(7)), [4, 7]);
        assert_eq!(rows(Some(600), Some(4)), [4]);
        assert_eq!(rows(Some(600), None), [4]);
        assert_eq!(rows(None, Some(7)), [4]);
    }
}
