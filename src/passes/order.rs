//! What a call makes of the order in which its tensors lie in memory.

use super::convolution::Convolution;
use super::memory::Memory;
use crate::graph::{Node, Operand, Target};
use crate::program::schema::MemoryFormat;

/// What becomes of an unusual order of a call's arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Results may lie in it too; their elements are the same in any order.
    Kept,
    /// Results lie row-major, whatever the arguments do.
    Own,
    /// Results lie with channels innermost, whatever the arguments do.
    Innermost,
    /// As `Kept`, but the call does its work otherwise than it would have in the exporter's order.
    Preferred,
    /// The call fails for some orders, where `reshape` would copy.
    Viewed,
    /// It is not known, or the order is what the call asks for.
    Seen,
}

/// What is known of a call.
pub fn of(node: &Node) -> Order {
    let Target::Operator { namespace, name, .. } = &node.target else { return Order::Seen };
    let name = name.as_str();
    match namespace.as_str() {
        "aten" => aten(node, name),
        // `aten/src/ATen/native/mkldnn/Conv.cpp` (2.11)
        "pt2" if name == super::convolution::ONEDNN => Order::Innermost,
        "pt2" if name == super::CUDNN => Order::Kept,
        // Asks for the input's sizes only.
        "pt2" if name == super::reorder::ORDERED => Order::Own,
        _ => Order::Seen,
    }
}

fn aten(node: &Node, name: &str) -> Order {
    match name {
        "view" if node.argument("size").is_some() => Order::Viewed,
        "_unsafe_view" => Order::Viewed,
        "contiguous" | "clone" | "to" if memory_format(node) == Some(MemoryFormat::ContiguousFormat) => {
            Order::Own
        }
        "view" | "as_strided" | "sym_stride" | "sym_storage_offset" => Order::Seen,
        "sym_size" | "sym_numel" => Order::Own,
        _ if OWN.contains(&name) => Order::Own,
        // Which kernel is chosen depends on it, and with that time and rounding.
        _ if Convolution::of(node).is_some() => Order::Preferred,
        _ => match Memory::of(node) {
            Memory::Fresh | Memory::View | Memory::InPlace => Order::Kept,
            Memory::Reads | Memory::Unknown => Order::Seen,
        },
    }
}

/// The memory format in which a call is asked to write its result, if it is asked for one.
pub fn memory_format(node: &Node) -> Option<MemoryFormat> {
    match node.argument("memory_format") {
        Some(Operand::MemoryFormat(format)) => Some(*format),
        Some(_) => None,
        // Its default; that of others is to go by their argument.
        None => node.is_aten("contiguous").then_some(MemoryFormat::ContiguousFormat),
    }
}

/// Operators whose results are row-major whatever their arguments are: products of matrices write into new
/// matrices, and normalisation over the last dimensions makes its argument row-major first
/// (`aten/src/ATen/native/LinearAlgebra.cpp`, `layer_norm.cpp`, 2.11).
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
