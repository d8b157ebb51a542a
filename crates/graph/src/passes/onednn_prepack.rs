//! Weight prepacking of convolutions for oneDNN. The layout depends on the input's sizes, so the
//! calls prepack.
//!
//! A weight may be a product with constant factors, as batch norm folding leaves it. It is then
//! multiplied while it is prepacked. The convolution is the only user of the product, and storing
//! it would take new pages for each weight.

use super::constant_analysis::ConstantSet;
use super::convolution::Convolution;
use super::graph_edit::{CallBuilder, GraphEdit};
use super::pt2_ops::{CONVOLUTION_WEIGHT, ORDERED_WEIGHT};
use super::uses::Uses;
use super::weight_product;
use crate::graph::{Graph, ValueId};
use crate::program::schema::TensorMeta;

/// Constants from which a weight is prepacked.
pub struct Prepack {
    weight: ValueId,
    factors: Option<ValueId>,
    /// Position of the product that is absorbed.
    product_at: Option<usize>,
    meta: TensorMeta,
}

impl Prepack {
    /// Absorbs the product that computes the weight, if its operands are constants and the
    /// convolution is its only user.
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

    /// Inserts the calls before a node, and removes the product.
    pub fn insert(&self, conv: &Convolution, at: usize, rewrite: &mut GraphEdit) -> ValueId {
        let weight = CallBuilder::of("pt2", CONVOLUTION_WEIGHT, "default")
            .with("self", self.weight)
            .with("factors", self.factors)
            .with("padding", conv.padding.as_slice())
            .with("stride", conv.stride.as_slice())
            .with("dilation", conv.dilation.as_slice())
            .with("groups", conv.groups);
        self.product_at.into_iter().for_each(|product| rewrite.remove(product));
        let weight = rewrite.insert(at, "convolution_weight", Some(self.meta.clone()), weight);
        let ordered = CallBuilder::of("pt2", ORDERED_WEIGHT, "default")
            .with("weight", weight)
            .with("input", conv.input);
        rewrite.insert(at, "ordered_weight", Some(self.meta.clone()), ordered)
    }
}

/// Returns true if the graph has weights that calls prepack.
pub fn prepacks_in_calls(graph: &Graph) -> bool {
    graph.nodes.iter().any(|node| node.is("pt2", CONVOLUTION_WEIGHT))
}
