//! What a call does to memory, as far as a pass may rely on it without asking libtorch.
//!
//! Operators that are not listed may do more than their schema says: composite ones return their argument when
//! there is nothing to do (`type_as`, `pad`), so only what was looked up is listed
//! (`aten/src/ATen/native/native_functions.yaml` and the kernels it names, 2.11).

use crate::graph::{Node, Operand, Target};

/// What a call does to the memory of its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// Computes from its arguments alone, always the same; results are new memory.
    Fresh,
    /// Results are, or may be, the memory of its arguments; nothing is written, and the same call gives the same.
    View,
    /// Writes nothing. Results may share memory with any argument, and may be random.
    Reads,
    /// Writes to its first argument and returns it.
    InPlace,
    /// Anything may be written, and any result may share memory with any argument.
    Unknown,
}

impl Memory {
    /// What is known of a call.
    pub fn of(node: &Node) -> Memory {
        match &node.target {
            Target::Operator { namespace, name, overload } => match namespace.as_str() {
                "aten" => aten(node, name, overload),
                "mkldnn" if ONEDNN.contains(&name.as_str()) => Memory::Fresh,
                "mkldnn" if name == "_convolution_pointwise_" => Memory::InPlace,
                "pt2" if OURS.contains(&name.as_str()) => Memory::Fresh,
                _ => Memory::Unknown,
            },
            Target::Python(_) => Memory::Fresh,
            Target::HigherOrder(name) if name == super::POINTWISE => Memory::Fresh,
            Target::HigherOrder(_) => higher_order(node),
        }
    }
}

fn aten(node: &Node, name: &str, overload: &str) -> Memory {
    if overload.contains("out") {
        return Memory::Unknown;
    }
    if is_listed(&FRESH, name) || name.starts_with("sym_") {
        return Memory::Fresh;
    }
    if is_listed(&VIEWS, name) {
        return Memory::View;
    }
    match name {
        "batch_norm" if !trains(node) => Memory::Fresh,
        "dropout" | "dropout_" | "feature_dropout" | "feature_dropout_" if passes_through(node) => {
            Memory::View
        }
        _ if is_listed(&WRITERS_OF_SELF, name) => Memory::InPlace,
        _ if WRITERS.iter().any(|part| name.contains(part)) => Memory::Unknown,
        _ => match name.strip_suffix('_') {
            Some(functional) if is_listed(&FRESH, functional) => Memory::InPlace,
            Some(_) => Memory::Unknown,
            None => Memory::Reads,
        },
    }
}

fn is_listed(sorted: &[&str], name: &str) -> bool {
    sorted.binary_search(&name).is_ok()
}

/// A node that runs graphs writes nothing if nothing in them does.
fn higher_order(node: &Node) -> Memory {
    let mut writes = false;
    for argument in &node.inputs {
        argument.value.for_each_graph(&mut |inner| {
            let writer = |node: &Node| matches!(Memory::of(node), Memory::InPlace | Memory::Unknown);
            writes |= inner.graph.nodes.iter().any(writer);
        });
    }
    if writes { Memory::Unknown } else { Memory::Reads }
}

/// Whether batch norm updates its statistics.
pub fn trains(node: &Node) -> bool {
    !matches!(node.argument("training"), Some(Operand::Bool(false)))
}

/// Whether a dropout returns what it is given.
pub fn passes_through(node: &Node) -> bool {
    matches!(node.argument("train"), Some(Operand::Bool(false)))
}

/// Names of operators without a trailing underscore that write to an argument contain one of these.
const WRITERS: [&str; 9] = [
    "batch_norm",
    "instance_norm",
    "fused",
    "foreach",
    "with_noise",
    "record_stream",
    "init_",
    "set",
    "resize",
];

/// In-place operators without a functional one of the same name above.
const WRITERS_OF_SELF: [&str; 10] = [
    "copy_",
    "fill_",
    "index_add_",
    "index_copy_",
    "index_fill_",
    "index_put_",
    "masked_scatter_",
    "scatter_",
    "scatter_add_",
    "zero_",
];

const OURS: [&str; 6] = [
    super::CUDNN,
    super::SPACE_TO_DEPTH,
    super::batch_norm::FOLD,
    super::product::PRODUCT,
    super::reorder::WEIGHT,
    super::reorder::ORDERED,
];

const ONEDNN: [&str; 4] =
    ["_convolution_pointwise", "_linear_pointwise", "_reorder_convolution_weight", "_reorder_linear_weight"];

const FRESH: [&str; 178] = [
    "_adaptive_avg_pool2d",
    "_adaptive_avg_pool3d",
    "_addmm_activation",
    "_addmm_activation",
    "_log_softmax",
    "_native_batch_norm_legit_no_training",
    "_softmax",
    "abs",
    "acos",
    "acosh",
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool2d",
    "add",
    "addbmm",
    "addcdiv",
    "addcmul",
    "addmm",
    "addmv",
    "all",
    "amax",
    "amin",
    "any",
    "arange",
    "argmax",
    "argmin",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "baddbmm",
    "bitwise_and",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "bmm",
    "cat",
    "ceil",
    "celu",
    "clamp",
    "clamp_max",
    "clamp_min",
    "clone",
    "constant_pad_nd",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "convolution",
    "cos",
    "cosh",
    "cumsum",
    "div",
    "elu",
    "embedding",
    "eq",
    "erf",
    "erfc",
    "exp",
    "exp2",
    "expm1",
    "eye",
    "flip",
    "floor",
    "floor_divide",
    "fmod",
    "full",
    "full_like",
    "gather",
    "ge",
    "gelu",
    "glu",
    "group_norm",
    "gt",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "index_select",
    "isinf",
    "isnan",
    "layer_norm",
    "le",
    "leaky_relu",
    "lerp",
    "linear",
    "linspace",
    "log",
    "log10",
    "log1p",
    "log2",
    "log_softmax",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "logsumexp",
    "lt",
    "masked_fill",
    "matmul",
    "max_pool1d",
    "max_pool2d",
    "max_pool2d_with_indices",
    "max_pool3d",
    "maximum",
    "mean",
    "minimum",
    "mish",
    "mm",
    "mul",
    "native_group_norm",
    "native_layer_norm",
    "ne",
    "neg",
    "ones",
    "ones_like",
    "outer",
    "pow",
    "prelu",
    "prod",
    "reciprocal",
    "reflection_pad1d",
    "reflection_pad2d",
    "reflection_pad3d",
    "relu",
    "relu6",
    "remainder",
    "repeat",
    "replication_pad2d",
    "rms_norm",
    "roll",
    "round",
    "rsqrt",
    "rsub",
    "scalar_tensor",
    "scaled_dot_product_attention",
    "selu",
    "sgn",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "sinh",
    "softmax",
    "softplus",
    "sort",
    "sqrt",
    "square",
    "stack",
    "std",
    "sub",
    "sum",
    "tan",
    "tanh",
    "threshold",
    "topk",
    "tril",
    "triu",
    "trunc",
    "upsample_bicubic2d",
    "upsample_bilinear2d",
    "upsample_nearest1d",
    "upsample_nearest2d",
    "upsample_nearest3d",
    "upsample_trilinear3d",
    "var",
    "where",
    "xlogy",
    "zeros",
    "zeros_like",
];

const VIEWS: [&str; 38] = [
    "_unsafe_view",
    "alias",
    "as_strided",
    "broadcast_to",
    "chunk",
    "contiguous",
    "detach",
    "diagonal",
    "expand",
    "expand_as",
    "flatten",
    "lift_fresh",
    "movedim",
    "narrow",
    "permute",
    "reshape",
    "reshape_as",
    "select",
    "slice",
    "split",
    "split_with_sizes",
    "squeeze",
    "swapaxes",
    "swapdims",
    "t",
    "tensor_split",
    "to",
    "transpose",
    "type_as",
    "unbind",
    "unflatten",
    "unfold",
    "unsafe_chunk",
    "unsafe_split",
    "unsafe_split_with_sizes",
    "unsqueeze",
    "view",
    "view_as",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted() {
        assert!(FRESH.is_sorted() && VIEWS.is_sorted() && WRITERS_OF_SELF.is_sorted());
    }

    #[test]
    fn calls_are_told_apart() {
        let text = "graph(%x: tensor, %w: tensor) {
            %a: tensor = aten::add.Tensor(self=%x, other=%w)
            %b: tensor = aten::add_.Tensor(self=%a, other=1)
            %c: tensor = aten::add.out(self=%x, other=%w, out:=%a)
            %d: tensor = aten::view.default(self=%a, size=[1])
            %e: tensor = aten::batch_norm.default(input=%x, training=false)
            %f: tensor = aten::batch_norm.default(input=%x, training=true)
            %g: tensor = aten::dropout.default(input=%x, p=0.5, train=false)
            %h: tensor = aten::dropout.default(input=%x, p=0.5, train=true)
            %i: tensor = aten::rand_like.default(self=%x)
            %j: tensor = aten::squeeze_.default(self=%x)
            %k: tensor = my_lib::add.default(self=%x)
            %l: tensor = higher_order::cond(%x, graph \"t\"() { return (1) }, graph \"f\"() { return (2) }, [])
            %m: tensor = higher_order::cond(%x, graph \"t\"(%y: tensor) {
              %z: tensor = aten::add_.Tensor(self=%y, other=1) return (%z) }, graph \"f\"(%y: tensor) { return (%y) }, [%x])
            return (%x) }";
        use Memory::*;
        let found: Vec<Memory> = crate::graph::parse(text).unwrap().nodes.iter().map(Memory::of).collect();
        assert_eq!(
            found,
            [
                Fresh, InPlace, Unknown, View, Fresh, Unknown, View, Reads, Reads, Unknown, Unknown, Reads,
                Unknown
            ]
        );
    }
}
