//! Lowers fused attention of one device type to `scaled_dot_product_attention`.
//!
//! Every device has a kernel for that operator.

use crate::graph::{Argument, Node, Operand, Output, Rewriter, Target, ValueId};
use std::collections::HashSet;

/// Fused attention operators, all of which return their output first.
const FORWARD: [&str; 5] = [
    "_scaled_dot_product_cudnn_attention",
    "_scaled_dot_product_efficient_attention",
    "_scaled_dot_product_flash_attention",
    "_scaled_dot_product_flash_attention_for_cpu",
    "_scaled_dot_product_fused_attention_overrideable",
];

/// Call of one of the [`FORWARD`] operators.
pub struct Forward<'a>(&'a Node);

impl<'a> Forward<'a> {
    /// Returns the node as a fused attention call; None for any other node.
    pub fn of(node: &'a Node) -> Option<Forward<'a>> {
        let Target::Operator { namespace, name, overload } = &node.target else { return None };
        let known = namespace == "aten" && overload == "default" && FORWARD.contains(&name.as_str());
        known.then_some(Forward(node))
    }

    /// Returns the device-independent call. None if another output is used, or if the call has a
    /// mask and is causal.
    pub fn neutral(&self, rewriter: &Rewriter<'_>, used: &HashSet<ValueId>) -> Option<Node> {
        let node = self.0;
        let mut outputs = node.outputs.iter();
        let first = outputs.next().filter(|first| matches!(first, Output::Value(_)))?;
        if outputs.flat_map(Output::values).any(|value| used.contains(&value)) {
            return None;
        }
        let mask = self.argument("attn_mask").or_else(|| self.argument("attn_bias"));
        let causal = self.argument("is_causal");
        if mask.is_some() && causal.is_some_and(|causal| *causal != Operand::Bool(false)) {
            return None;
        }
        let named =
            |name: &str, value: &Operand| Argument { name: name.into(), keyword: None, value: value.clone() };
        let mut inputs = Vec::new();
        for name in ["query", "key", "value"] {
            inputs.push(named(name, self.argument(name)?));
        }
        inputs.extend(mask.map(|mask| named("attn_mask", mask)));
        for name in ["dropout_p", "is_causal", "scale"] {
            inputs.extend(self.argument(name).map(|value| named(name, value)));
        }
        if self.shares_heads(rewriter) {
            inputs.push(named("enable_gqa", &Operand::Bool(true)));
        }
        let target = Target::operator("aten", "scaled_dot_product_attention", "default");
        let (name, trace) = (node.name.clone(), node.trace.clone());
        Some(Node { name, target, inputs, outputs: vec![first.clone()], trace, author: node.author })
    }

    fn argument(&self, name: &str) -> Option<&Operand> {
        self.0.argument(name).filter(|value| **value != Operand::None)
    }

    /// Returns true if several query heads share one key head.
    fn shares_heads(&self, rewriter: &Rewriter<'_>) -> bool {
        let heads = |name| {
            let meta = rewriter.meta(self.0.argument(name)?.value()?)?;
            meta.sizes.get(meta.sizes.len().checked_sub(3)?).cloned()
        };
        let (query, key) = (heads("query"), heads("key"));
        query.is_some() && key.is_some() && query != key
    }
}
