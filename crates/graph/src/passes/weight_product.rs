//! Products of two constants, of which one is a weight.

use super::graph_edit::CallBuilder;
use super::pt2_ops::PRODUCT;
use crate::graph::{Node, Operand, ValueId};
use crate::program::schema::MemoryFormat;

/// Builds the call.
pub fn product(weight: ValueId, factors: ValueId, format: MemoryFormat) -> CallBuilder {
    let call = CallBuilder::of("pt2", PRODUCT, "default").with("self", weight).with("other", factors);
    call.with("memory_format", Operand::MemoryFormat(format))
}

/// Returns both operands, if the node is a product.
pub fn sides(node: &Node) -> Option<(ValueId, ValueId)> {
    let is_product = node.is("pt2", PRODUCT) || node.is_aten("mul");
    let side = |name: &str| node.argument(name).filter(|_| is_product).and_then(Operand::value);
    Some((side("self")?, side("other")?))
}
