//! Values whose recorded strides may differ from those of the exporter's kernels.
//!
//! The exporter derives strides without running kernels (fake tensors). For the operators below the
//! record differs from the kernels' strides (2.11; `tests/python/recorded_strides.py` compares
//! both).
//!
//! At `exact`, and in PyTorch, such values and those derived from them have the kernels' strides,
//! so no pass can restore a format from the record. Strides of dimensions of size one, which may
//! differ after any view of a permuted tensor, are not considered.

use super::contiguity::{has_contiguous_strides, is_channels_last, is_contiguous};
use super::memory_format::{self, MemoryFormatRule};
use crate::graph::{Graph, Node, Operand, Target, ValueId, ValueKind};
use crate::program::schema::TensorMeta;
use std::collections::HashSet;

/// Operators whose record is wrong unless every argument is contiguous. So are `pad` with a mode
/// below and convolutions of three dimensions. Operators on two tensors are wrong if these differ
/// in strides or number of dimensions.
const UNLESS_CONTIGUOUS: [&str; 21] = [
    "channel_shuffle",
    "copysign",
    "div.Tensor_mode",
    "floor_divide",
    "heaviside",
    "ldexp",
    "log_sigmoid",
    "log_sigmoid_forward",
    "logaddexp",
    "logaddexp2",
    "logical_and",
    "logical_or",
    "logical_xor",
    "max_unpool2d",
    "max_unpool3d",
    "reflection_pad2d",
    "reflection_pad3d",
    "replication_pad2d",
    "replication_pad3d",
    "roll",
    "xlogy",
];

/// Modes of `pad` that use one of the operators above.
const PAD_MODES: [&str; 2] = ["reflect", "replicate"];

/// Operators whose record is wrong for arguments that are neither contiguous nor channels-last.
const IN_OTHER_ORDERS: [&str; 6] = [
    "_batch_norm_with_update",
    "_native_batch_norm_legit",
    "_native_batch_norm_legit_no_training",
    "batch_norm",
    "max_pool1d",
    "native_batch_norm",
];

/// Parts of names of operators whose record is always wrong: their library chooses the strides.
const ALWAYS: [&str; 2] = ["fft", "stft"];

/// Returns the tensors whose recorded strides are unreliable.
pub fn unreliable(graph: &Graph) -> HashSet<ValueId> {
    let mut unreliable = HashSet::new();
    for node in &graph.nodes {
        if memory_format::of(node) == MemoryFormatRule::Own {
            continue;
        }
        let mut follows = is_misrecorded(graph, node) || has_unreliable_graphs(node);
        node.for_each_use(&mut |value| follows |= unreliable.contains(&value));
        if follows {
            unreliable.extend(node.defined().filter(|value| is_tensor(graph, *value)));
        }
    }
    unreliable
}

fn has_unreliable_graphs(node: &Node) -> bool {
    let mut found = false;
    for argument in &node.inputs {
        argument.value.for_each_graph(&mut |inner| found |= !unreliable(&inner.graph).is_empty());
    }
    found
}

fn is_tensor(graph: &Graph, value: ValueId) -> bool {
    graph.value(value).is_some_and(|value| matches!(value.kind, ValueKind::Tensor(_)))
}

fn is_misrecorded(graph: &Graph, node: &Node) -> bool {
    let Target::Operator { namespace, name, overload } = &node.target else { return false };
    if namespace != "aten" {
        return false;
    }
    let full = format!("{name}.{overload}");
    let is_in = |names: &[&str]| names.contains(&name.as_str()) || names.contains(&full.as_str());
    let mut arguments: Vec<&TensorMeta> = Vec::new();
    node.for_each_use(&mut |value| arguments.extend(graph.meta(value)));
    let any = |is_so: &dyn Fn(&TensorMeta) -> bool| arguments.iter().any(|meta| is_so(meta));
    let volumes = any(&|meta| meta.sizes.len() == 5 && !has_contiguous_strides(meta));
    ALWAYS.iter().any(|part| name.contains(part))
        || name.starts_with("conv") && volumes
        || (is_in(&UNLESS_CONTIGUOUS) || pads(node)) && any(&|meta| !is_contiguous(meta))
        || is_in(&IN_OTHER_ORDERS) && any(&|meta| !is_contiguous(meta) && !is_channels_last(meta))
}

fn pads(node: &Node) -> bool {
    let Some(Operand::String(mode)) = node.argument("mode") else { return false };
    node.is_aten("pad") && PAD_MODES.contains(&mode.as_str())
}
