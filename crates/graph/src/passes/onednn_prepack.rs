//! Prepacking of convolution weights for oneDNN, whose layout depends on the input's sizes: done by the
//! calls.
//!
//! A weight that is a product with constant factors, as folded batch norms leave it, is multiplied on its way into
//! that order: nobody else needs the product, and memory for it would be new pages for each weight.

use super::constants::ConstantSet;
use super::convolution::Convolution;
use super::graph_edit::{CallBuilder, GraphEdit};
use super::uses::Uses;
use super::weight_product;
use crate::graph::{Graph, ValueId};
use crate::program::schema::TensorMeta;

/// The shim's operator that holds what such a weight is made from, in the namespace `pt2`.
pub const WEIGHT: &str = "convolution_weight";

/// The shim's operator that gives it in the order for an input.
pub const ORDERED: &str = "ordered_weight";

/// What a weight in oneDNN's order is made from.
pub struct Prepack {
    weight: ValueId,
    factors: Option<ValueId>,
    /// Where the product stood that is taken in.
    product_at: Option<usize>,
    meta: TensorMeta,
}

impl Prepack {
    /// Takes in the product that makes the weight, if the node at `maker` is one of constants and only this
    /// convolution reads it.
    pub fn of(
        conv: &Convolution,
        graph: &Graph,
        maker: Option<usize>,
        uses: &Uses,
        constants: &ConstantSet,
    ) -> Option<Prepack> {
        let meta = graph.meta(conv.weight)?.clone();
        let is_whole = |value: ValueId| {
            graph.meta(value).is_some_and(|whole| whole.sizes == meta.sizes && whole.dtype == meta.dtype)
        };
        let product_at = maker.filter(|_| uses.single_user(conv.weight).is_some());
        let product = product_at.and_then(|at| weight_product::sides(graph.nodes.get(at)?)).filter(
            |(weight, factors)| {
                is_whole(*weight) && constants.contains(*weight) && constants.contains(*factors)
            },
        );
        let product_at = product_at.filter(|_| product.is_some());
        let (weight, factors) =
            product.map_or((conv.weight, None), |(weight, factors)| (weight, Some(factors)));
        Some(Prepack { weight, factors, product_at, meta: TensorMeta { requires_grad: false, ..meta } })
    }

    /// Puts the calls in front of a node, and takes out the product.
    pub fn insert(&self, conv: &Convolution, at: usize, rewrite: &mut GraphEdit) -> ValueId {
        let weight = CallBuilder::of("pt2", WEIGHT, "default")
            .with("self", self.weight)
            .with("factors", self.factors)
            .with("padding", conv.padding.as_slice())
            .with("stride", conv.stride.as_slice())
            .with("dilation", conv.dilation.as_slice())
            .with("groups", conv.groups);
        self.product_at.into_iter().for_each(|product| rewrite.remove(product));
        let weight = rewrite.insert(at, "convolution_weight", Some(self.meta.clone()), weight);
        let ordered =
            CallBuilder::of("pt2", ORDERED, "default").with("weight", weight).with("input", conv.input);
        rewrite.insert(at, "ordered_weight", Some(self.meta.clone()), ordered)
    }
}

/// Whether a graph makes weights that calls bring into their order.
pub fn prepacks_in_calls(graph: &Graph) -> bool {
    graph.nodes.iter().any(|node| node.is("pt2", WEIGHT))
}
