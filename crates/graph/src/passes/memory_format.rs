//! Operators by their effect on memory formats.

use super::convolution::Convolution;
use super::op_effects::OpEffect;
use super::pt2_ops;
use crate::graph::{Node, Operand, Target};
use crate::program::schema::MemoryFormat;

/// Effect of a call on a memory format of its arguments that differs from the exporter's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryFormatRule {
    /// Results may have it too. Their elements are the same in any format.
    Kept,
    /// Results are contiguous whatever the format of the arguments.
    Own,
    /// Results are channels-last whatever the format of the arguments.
    ChannelsLast,
    /// As `Kept`, but the format selects another kernel than in the exporter's format.
    Preferred,
    /// As `Kept`, but the call is less accurate in another format than the exporter's.
    Sensitive,
    /// The call fails for some formats, where `reshape` would copy.
    Viewed,
    /// The effect is unknown, or the call reads the strides.
    Seen,
}

/// Returns the rule of a call.
pub fn of(node: &Node) -> MemoryFormatRule {
    let Target::Operator { namespace, name, .. } = &node.target else { return MemoryFormatRule::Seen };
    let name = name.as_str();
    match namespace.as_str() {
        "aten" => aten(node, name),
        // `aten/src/ATen/native/mkldnn/Conv.cpp` (2.11)
        "pt2" if name == pt2_ops::ONEDNN => MemoryFormatRule::ChannelsLast,
        "pt2" if name == pt2_ops::CUDNN => MemoryFormatRule::Kept,
        "pt2" if name == pt2_ops::CONTIGUOUS || name == pt2_ops::ADDMM_RELU => MemoryFormatRule::Own,
        // Reads the input's sizes only.
        "pt2" if name == pt2_ops::ORDERED_WEIGHT => MemoryFormatRule::Own,
        _ => MemoryFormatRule::Seen,
    }
}

fn aten(node: &Node, name: &str) -> MemoryFormatRule {
    match name {
        "view" if node.argument("size").is_some() => MemoryFormatRule::Viewed,
        "_unsafe_view" => MemoryFormatRule::Viewed,
        "contiguous" | "clone" | "to" if memory_format(node) == Some(MemoryFormat::ContiguousFormat) => {
            MemoryFormatRule::Own
        }
        "view" | "as_strided" | "sym_stride" | "sym_storage_offset" => MemoryFormatRule::Seen,
        "sym_size" | "sym_numel" => MemoryFormatRule::Own,
        _ if OWN.contains(&name) => MemoryFormatRule::Own,
        _ if SENSITIVE.contains(&name) => MemoryFormatRule::Sensitive,
        // The format selects the kernel, and with it time and rounding.
        _ if Convolution::of(node).is_some() || name == "scaled_dot_product_attention" => {
            MemoryFormatRule::Preferred
        }
        _ => match OpEffect::of(node) {
            OpEffect::Fresh | OpEffect::View | OpEffect::InPlace => MemoryFormatRule::Kept,
            OpEffect::Reads | OpEffect::Unknown => MemoryFormatRule::Seen,
        },
    }
}

/// Returns the memory format in which a call must write its result, if its arguments state one.
pub fn memory_format(node: &Node) -> Option<MemoryFormat> {
    match node.argument("memory_format") {
        Some(Operand::MemoryFormat(format)) => Some(*format),
        Some(_) => None,
        // `contiguous` has this default; others preserve the format of their argument.
        None => node.is_aten("contiguous").then_some(MemoryFormat::ContiguousFormat),
    }
}

/// Operators whose results are contiguous whatever their arguments are.
///
/// Products of matrices write into new matrices, and normalisation over the last dimensions makes
/// its argument contiguous first (`aten/src/ATen/native/LinearAlgebra.cpp`, `layer_norm.cpp`,
/// 2.11).
const OWN: [&str; 10] = [
    "_addmm_activation",
    "addmm",
    "baddbmm",
    "bmm",
    "embedding",
    "layer_norm",
    "linear",
    "mm",
    "native_layer_norm",
    "scalar_tensor",
];

/// Operators whose channels-last kernels are less accurate than the contiguous ones. Group norm
/// takes the variance as a difference of two large numbers; CUDA's variance merges many partial
/// results. `tests/python/memory_formats.py` tries every operator that may read them.
const SENSITIVE: [&str; 6] = ["group_norm", "native_group_norm", "std", "std_mean", "var", "var_mean"];
