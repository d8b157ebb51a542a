//! Limits of kernels: arguments that a device's kernel rejects though another device's kernel takes
//! them.
//!
//! Source: `aten/src/ATen/native/native_functions.yaml` and the kernels that it names, 2.11.

use crate::graph::{Graph, Node, Operand, ValueId};
use crate::program::schema::{ScalarType, TensorMeta};
use crate::torch::Device;

/// Returns true if the device's kernel may not support this call, so that the portable form
/// replaces it.
pub fn exceeds(graph: &Graph, node: &Node, device: Device) -> bool {
    let named = |names: &[&str]| names.iter().any(|name| node.is_aten(name));
    match device {
        Device::Cpu => {
            node.argument("half_to_float") == Some(&Operand::Bool(true))
                && named(&["_softmax", "_log_softmax"])
                || named(&["_softmax_backward_data", "_log_softmax_backward_data"]) && narrows(graph, node)
        }
        Device::Cuda(_) => {
            let elsewhere = exported_elsewhere(graph, node);
            named(&["mkldnn_convolution"])
                || elsewhere && named(&["_int_mm", "native_group_norm", "native_group_norm_backward"])
                || elsewhere && named(&["native_layer_norm"]) && mixes(graph, node)
        }
    }
}

/// Returns true if the first tensor was not on a CUDA device at export.
fn exported_elsewhere(graph: &Graph, node: &Node) -> bool {
    let first = node.inputs.iter().find_map(|argument| argument.value.value());
    first.and_then(|value| graph.meta(value)).is_some_and(|meta| meta.device.r#type != "cuda")
}

/// Returns true if the dtypes of input and weights differ.
fn mixes(graph: &Graph, node: &Node) -> bool {
    let dtype = |name| dtype(graph, node, name);
    let input = dtype("input");
    [dtype("weight"), dtype("bias")].iter().any(|other| other.is_some() && *other != input)
}

/// Returns true if the gradient has another dtype as a result than as an input.
fn narrows(graph: &Graph, node: &Node) -> bool {
    match (node.argument("input_dtype"), dtype(graph, node, "grad_output")) {
        (Some(Operand::ScalarType(wanted)), Some(given)) => *wanted != given,
        _ => false,
    }
}

fn dtype(graph: &Graph, node: &Node, argument: &str) -> Option<ScalarType> {
    let value = node.argument(argument).and_then(Operand::value)?;
    graph.meta(value).map(|meta| meta.dtype)
}

/// Returns true if libtorch has no kernel for this product, as for integer matrices on CUDA.
///
/// Source: `addmm_cuda`, `baddbmm_cuda` and related functions in
/// aten/src/ATen/native/cuda/Blas.cpp, 2.11.
pub fn refuses(graph: &Graph, node: &Node, device: Device) -> bool {
    if device == Device::Cpu || !PRODUCTS.iter().any(|name| node.is_aten(name)) {
        return false;
    }
    let mut metas: Vec<&TensorMeta> = Vec::new();
    node.for_each_use(&mut |value: ValueId| metas.extend(graph.meta(value)));
    let empty = |meta: &&TensorMeta| meta.sizes.iter().any(|size| size.at_export() == Some(0));
    metas.iter().any(|meta| INTEGERS.contains(&meta.dtype)) && !metas.iter().any(empty)
}

const PRODUCTS: [&str; 9] = ["addbmm", "addmm", "addmv", "baddbmm", "bmm", "linear", "matmul", "mm", "mv"];

const INTEGERS: [ScalarType; 5] =
    [ScalarType::Byte, ScalarType::Char, ScalarType::Short, ScalarType::Int, ScalarType::Long];
