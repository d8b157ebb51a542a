//! Products of integer matrices, which cuBLAS computes for int8 and some sizes only.

use crate::graph::{Graph, Node, ValueId};
use crate::program::schema::{ScalarType, SymInt};
use crate::torch::Device;

/// Whether a product of int8 matrices was exported on a device that takes any sizes.
pub fn needs_padding(graph: &Graph, node: &Node, device: Device) -> bool {
    let on_cuda = |value: ValueId| graph.meta(value).is_some_and(|meta| meta.device.r#type == "cuda");
    device != Device::Cpu
        && node.is_aten("_int_mm")
        && node.argument("self").and_then(|operand| operand.value()).is_some_and(|value| !on_cuda(value))
}

/// Whether libtorch has no kernel for a product of these dtypes (`addmm_cuda`, `baddbmm_cuda` and their kind in
/// aten/src/ATen/native/cuda/Blas.cpp, 2.11).
pub fn cannot_run(graph: &Graph, node: &Node, device: Device) -> bool {
    if device == Device::Cpu || !PRODUCTS.iter().any(|name| node.is_aten(name)) {
        return false;
    }
    let mut integers = false;
    let mut empty = false;
    node.for_each_use(&mut |value| {
        let Some(meta) = graph.meta(value) else { return };
        integers |= INTEGERS.contains(&meta.dtype);
        empty |= meta.sizes.iter().any(|size| SymInt::at_export(size) == Some(0));
    });
    integers && !empty
}

const PRODUCTS: [&str; 9] = ["addbmm", "addmm", "addmv", "baddbmm", "bmm", "linear", "matmul", "mm", "mv"];

const INTEGERS: [ScalarType; 5] =
    [ScalarType::Byte, ScalarType::Char, ScalarType::Short, ScalarType::Int, ScalarType::Long];
