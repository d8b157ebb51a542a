//! A convolution's weight as oneDNN keeps it: reordered once, at load.
//!
//! A weight that is a product with constant factors, as folded batch norms leave it, is multiplied on its way into
//! that order: nobody else needs the product, and memory for it would be new pages for each weight.

use super::constants::Constants;
use super::convolution::Convolution;
use super::product;
use super::readers::Readers;
use super::rewrite::{Call, Rewrite};
use crate::graph::{Graph, ValueId};
use crate::program::schema::{SymInt, TensorMeta};

/// The operator of the shim, in the namespace `pt2`.
pub const NAME: &str = "reorder_convolution_weight";

/// What a weight in oneDNN's order is made from.
pub struct Reorder {
    weight: ValueId,
    factors: Option<ValueId>,
    /// Where the product stood that is taken in.
    product_at: Option<usize>,
    meta: TensorMeta,
    /// Of the convolution's input; any batch does. Reordered for no size at all, a weight would be reordered again
    /// in every call.
    input_size: Vec<i64>,
}

impl Reorder {
    /// Takes in the product that makes the weight, if the node at `maker` is one of constants and only this
    /// convolution reads it.
    pub fn of(
        conv: &Convolution,
        graph: &Graph,
        maker: Option<usize>,
        readers: &Readers,
        constants: &Constants,
    ) -> Option<Reorder> {
        let meta = graph.meta(conv.weight)?.clone();
        let is_whole = |value: ValueId| {
            graph.meta(value).is_some_and(|whole| whole.sizes == meta.sizes && whole.dtype == meta.dtype)
        };
        let product_at = maker.filter(|_| readers.sole(conv.weight).is_some());
        let product =
            product_at.and_then(|at| product::sides(graph.nodes.get(at)?)).filter(|(weight, factors)| {
                is_whole(*weight) && constants.contains(*weight) && constants.contains(*factors)
            });
        let product_at = product_at.filter(|_| product.is_some());
        let (weight, factors) =
            product.map_or((conv.weight, None), |(weight, factors)| (weight, Some(factors)));
        let input_size = graph.meta(conv.input).and_then(input_size).unwrap_or_default();
        Some(Reorder {
            weight,
            factors,
            product_at,
            meta: TensorMeta { requires_grad: false, ..meta },
            input_size,
        })
    }

    /// Puts the call in front of a node, and takes out the product.
    pub fn insert(&self, conv: &Convolution, at: usize, rewrite: &mut Rewrite) -> ValueId {
        let call = Call::of("pt2", NAME, "default")
            .with("self", self.weight)
            .with("factors", self.factors)
            .with("padding", conv.padding.as_slice())
            .with("stride", conv.stride.as_slice())
            .with("dilation", conv.dilation.as_slice())
            .with("groups", conv.groups)
            .with("input_size", self.input_size.as_slice());
        self.product_at.into_iter().for_each(|product| rewrite.remove(product));
        rewrite.insert(at, "reordered_weight", Some(self.meta.clone()), call)
    }
}

/// The sizes of an input of which only the batch may vary.
pub fn input_size(meta: &TensorMeta) -> Option<Vec<i64>> {
    let (batch, rest) = meta.sizes.split_first()?;
    let fixed = |size: &SymInt| if let SymInt::Int(size) = size { Some(*size) } else { None };
    let rest: Option<Vec<i64>> = rest.iter().map(fixed).collect();
    Some([vec![batch.at_export().unwrap_or(1)], rest?].concat())
}
