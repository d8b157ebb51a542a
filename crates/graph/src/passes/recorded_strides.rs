//! Values whose recorded strides may differ from those of the exporter's kernels.
//!
//! The exporter derives strides with fake tensors, without running kernels. For the operators
//! below, its strides differ from the kernels' (2.11; `tests/python/recorded_strides.py` compares
//! both). In PyTorch and at `exact`, such a value and those computed from it have the kernels'
//! strides. So no pass can restore a dimension order from the record.
//!
//! Other records are wrong only for dimensions of size one. Such values are ambiguous. Those
//! strides place no element, but kernels choose the memory format of their results by them
//! (`suggest_memory_format`, c10/core/TensorImpl.h and c10/core/MemoryFormat.h, 2.11): an image of
//! one pixel or one channel is both contiguous and channels-last.
//!
//! A kernel's result from an ambiguous value is unreliable if its dimension order is visible: two
//! dimensions besides the batch have several elements. Kernels that keep the order are excepted.

use super::contiguity::{has_contiguous_strides, is_channels_last, is_contiguous};
use super::elementwise::is_elementwise;
use super::memory_format::{self, MemoryFormatRule};
use super::op_effects::OpEffect;
use crate::graph::{Graph, Node, Operand, Target, ValueId, ValueKind};
use crate::program::schema::{SymInt, TensorMeta};
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

/// Views that compute strides from sizes. Exporter and kernel do so in different ways.
const RESHAPING: [&str; 8] =
    ["_reshape_alias", "_unsafe_view", "flatten", "reshape", "reshape_as", "unflatten", "view", "view_as"];

/// Operators whose record is wrong for the batch, too, if that is of size one.
const OF_ONE_IMAGE: [&str; 2] = ["group_norm", "native_group_norm"];

/// Tensors whose recorded strides may differ from the kernels'.
#[derive(Default)]
pub struct RecordedStrides {
    /// Tensors whose elements may be in another order than the recorded one.
    unreliable: HashSet<ValueId>,
    /// Tensors of which only the strides of dimensions of size one may differ.
    ambiguous: HashSet<ValueId>,
}

impl RecordedStrides {
    /// Follows the values through a graph.
    pub fn of(graph: &Graph) -> RecordedStrides {
        let mut found = RecordedStrides::default();
        for node in &graph.nodes {
            if memory_format::of(node) != MemoryFormatRule::Own {
                found.follow(graph, node);
            }
        }
        found
    }

    /// Returns true if a value's elements are in the recorded order.
    pub fn have_order(&self, value: ValueId) -> bool {
        !self.unreliable.contains(&value)
    }

    /// Returns true if all strides of a value are the recorded ones, including those of dimensions
    /// of size one.
    pub fn are_exact(&self, value: ValueId) -> bool {
        self.have_order(value) && !self.ambiguous.contains(&value)
    }

    fn follow(&mut self, graph: &Graph, node: &Node) {
        let (mut unordered, mut read) = (has_unreliable_graphs(node), Vec::new());
        node.for_each_use(&mut |value| {
            unordered |= self.unreliable.contains(&value);
            read.push(value);
        });
        let unordered = unordered || is_misrecorded(graph, node);
        for value in node.defined().filter(|value| is_tensor(graph, *value)) {
            let meta = graph.meta(value);
            let deciding = deciding(graph, node, &read, value);
            let ambiguous = deciding.iter().any(|value| self.ambiguous.contains(value));
            if unordered || ambiguous && !keeps_order(node) && meta.is_none_or(shows_order) {
                self.unreliable.insert(value);
            } else if meta.is_some_and(|meta| {
                has_single(meta) && (ambiguous || has_ambiguous_record(graph, node, meta))
            }) {
                self.ambiguous.insert(value);
            }
        }
    }
}

/// Returns the arguments that decide on the strides of a result.
fn deciding<'a>(graph: &Graph, node: &Node, read: &'a [ValueId], result: ValueId) -> &'a [ValueId] {
    if OpEffect::of(node) == OpEffect::InPlace {
        return read.get(..1).unwrap_or(read);
    }
    if !is_elementwise(node) {
        return read;
    }
    // The stride of a dimension that is broadcast counts as zero. Later arguments only order
    // dimensions that earlier ones do not (`reorder_dimensions`, aten/src/ATen/TensorIterator.cpp,
    // 2.11).
    let sizes = |value: ValueId| graph.meta(value).map(|meta| &meta.sizes);
    let whole = |value: &ValueId| sizes(*value) == sizes(result);
    let Some(first) = read.iter().position(whole) else { return &[] };
    let decides = read.get(first).and_then(|value| graph.meta(*value)).is_some_and(has_distinct_strides);
    let end = if decides { first + 1 } else { read.len() };
    read.get(first..end).unwrap_or_default()
}

/// Returns true if results have the dimension order of the arguments in every memory format.
fn keeps_order(node: &Node) -> bool {
    is_elementwise(node) || matches!(OpEffect::of(node), OpEffect::View | OpEffect::InPlace)
}

fn has_distinct_strides(meta: &TensorMeta) -> bool {
    let strides: HashSet<_> = meta.strides.iter().map(SymInt::at_export).collect();
    strides.len() == meta.strides.len() && !strides.contains(&Some(0))
}

/// Returns true if two or more dimensions besides the batch have several elements, so that their
/// order is visible.
fn shows_order(meta: &TensorMeta) -> bool {
    meta.sizes.iter().skip(1).filter(|size| size.at_export() != Some(1)).count() > 1
}

fn has_single(meta: &TensorMeta) -> bool {
    meta.sizes.iter().any(is_single)
}

fn is_single(size: &SymInt) -> bool {
    size.at_export() == Some(1)
}

/// Returns true if the recorded strides of a result may be wrong for dimensions of size one
/// although those of all arguments are right.
fn has_ambiguous_record(graph: &Graph, node: &Node, result: &TensorMeta) -> bool {
    let Target::Operator { name, .. } = &node.target else { return false };
    let name = name.as_str();
    let reads = |is_so: &dyn Fn(&TensorMeta) -> bool| {
        let mut found = false;
        node.for_each_use(&mut |value| found |= graph.meta(value).is_some_and(is_so));
        found
    };
    if RESHAPING.contains(&name) {
        // A contiguous result of an argument that is not contiguous is a copy. Its strides follow
        // from its sizes.
        let copies = |meta: &TensorMeta| !is_contiguous(meta) && has_contiguous_strides(result);
        return reads(&|meta| !has_contiguous_strides(meta) && !copies(meta));
    }
    if OF_ONE_IMAGE.contains(&name) {
        return reads(&|meta| !has_contiguous_strides(meta));
    }
    // The exporter derives the format of convolutions as kernels do. Other views keep strides or
    // drop them.
    let is_sound = name.contains("conv") || OpEffect::of(node) == OpEffect::View;
    !is_sound && result.sizes.iter().skip(1).any(is_single) && reads(&|meta| !is_row_major(meta))
}

/// Returns true if no stride is larger than that of the dimension before it, so that kernels write
/// contiguous results. Expanded dimensions are ignored.
fn is_row_major(meta: &TensorMeta) -> bool {
    let mut least = i64::MAX;
    meta.strides.iter().filter_map(SymInt::at_export).filter(|stride| *stride != 0).all(|stride| {
        let falls = stride <= least;
        least = stride;
        falls
    })
}

fn has_unreliable_graphs(node: &Node) -> bool {
    let mut found = false;
    for argument in &node.inputs {
        argument
            .value
            .for_each_graph(&mut |inner| found |= !RecordedStrides::of(&inner.graph).unreliable.is_empty());
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
    let is = |listed: &&str| match listed.split_once('.') {
        Some((listed, of)) => listed == name && of == overload,
        None => listed == name,
    };
    let is_in = |names: &[&str]| names.iter().any(is);
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
