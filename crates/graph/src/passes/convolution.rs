//! Convolutions: how they are called, by `aten` and by the libraries that do more in one call.

use super::activation::Activation;
use super::graph_edit::CallBuilder;
use super::memory_format::has_contiguous_strides;
use crate::graph::{Graph, Node, Operand, Target, ValueId, ValueKind};
use crate::program::schema::{ScalarType, TensorMeta};

/// What runs a convolution on cuDNN, with a sum and a rectifier after it or without.
pub const CUDNN: &str = "cudnn_convolution";

/// The shim's operator that runs a convolution on oneDNN, with a sum and an activation after it or without.
pub const ONEDNN: &str = "onednn_convolution";

/// The same, written over the other side of the sum.
pub const ONEDNN_IN_PLACE: &str = "onednn_convolution_";

/// A library with calls that do what follows a convolution too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library {
    /// oneDNN, which runs on CPUs.
    OneDnn,
    /// cuDNN, which runs on CUDA devices.
    CuDnn,
}

/// A convolution that is not transposed, with every default filled in.
#[derive(Clone, Debug)]
pub struct Convolution {
    /// The tensor that is filtered.
    pub input: ValueId,
    /// The filters.
    pub weight: ValueId,
    /// What is added to each channel.
    pub bias: Option<ValueId>,
    /// One element for each spatial dimension.
    pub stride: Vec<i64>,
    /// As `stride`.
    pub padding: Vec<i64>,
    /// As `stride`.
    pub dilation: Vec<i64>,
    /// In how many groups the channels are filtered.
    pub groups: i64,
}

impl Convolution {
    /// Whether it makes patches in one of these element types: filters lie side by side on an image of few channels,
    /// as in transformers.
    pub fn makes_patches(&self, graph: &Graph, dtypes: &[ScalarType]) -> bool {
        const FEW: i64 = 4;
        let Some(meta) = graph.meta(self.weight).filter(|meta| dtypes.contains(&meta.dtype)) else {
            return false;
        };
        let [_, channels, filter @ ..] = meta.sizes.as_slice() else { return false };
        let apart = filter.iter().zip(&self.stride).all(|(size, stride)| size.at_export() == Some(*stride));
        apart && channels.at_export().is_some_and(|channels| channels <= FEW)
    }

    /// How many products each element of the result is the sum of.
    pub fn terms(&self, graph: &Graph) -> Option<i64> {
        let (_, filter) = graph.meta(self.weight)?.sizes.split_first()?;
        filter.iter().try_fold(1i64, |terms, size| terms.checked_mul(size.at_export()?))
    }

    /// Reads a call of `aten`.
    pub fn of(node: &Node) -> Option<Convolution> {
        let spatial = spatial(node)?;
        let flag = |name: &str| node.argument(name) == Some(&Operand::Bool(true));
        if flag("transposed") {
            return None;
        }
        let ints = |name: &str, default: i64| ints(node.argument(name), default, spatial);
        Some(Convolution {
            input: node.argument("input")?.value()?,
            weight: node.argument("weight")?.value()?,
            bias: optional(node.argument("bias"))?,
            stride: ints("stride", 1)?,
            padding: ints("padding", 0)?,
            dilation: ints("dilation", 1)?,
            groups: match node.argument("groups") {
                None => 1,
                Some(Operand::Int(groups)) => *groups,
                Some(_) => return None,
            },
        })
    }

    /// How many spatial dimensions there are.
    pub fn spatial(&self) -> usize {
        self.stride.len()
    }
}

/// What follows a convolution and can be done in the same call.
#[derive(Clone, Debug, Default)]
pub struct Epilogue {
    /// A tensor of the result's sizes that is added first.
    pub other: Option<ValueId>,
    /// What is done last.
    pub activation: Option<Activation>,
}

/// Whether a value with three spatial dimensions was in another order than row-major at export, or may pass for one.
/// The strides that the exporter recorded for convolutions of those are not the kernels'
/// (`_conv_determine_backend_memory_format` of `aten/src/ATen/native/Convolution.cpp`, 2.11, knows no channels-last of
/// three dimensions), so no pass can put them back.
pub fn has_noncontiguous_volumes(graph: &Graph) -> bool {
    let is_reordered = |meta: &TensorMeta| meta.sizes.len() == 5 && !has_contiguous_strides(meta);
    graph
        .values
        .iter()
        .any(|value| matches!(&value.kind, ValueKind::Tensor(Some(meta)) if is_reordered(meta)))
}

impl Library {
    /// The table of what has a call. Of oneDNN's (`aten/src/ATen/native/mkldnn/Conv.cpp`, 2.11) those with a sum know
    /// one activation; `tests/conv_fusion.rs` runs every combination.
    pub fn does(self, epilogue: &Epilogue) -> bool {
        match (self, &epilogue.other, &epilogue.activation) {
            (_, _, None | Some(Activation::Relu)) => true,
            (Library::OneDnn, None, Some(_)) => true,
            (Library::OneDnn, Some(_), Some(_)) | (Library::CuDnn, _, Some(_)) => false,
        }
    }

    /// Whether the calls return channels innermost, whatever they are given.
    pub fn fixes_layout(self) -> bool {
        self == Library::OneDnn
    }

    /// The call; `weight` and `bias` are as the library wants them. `autotune`: the fastest way is measured, where the
    /// library has several.
    pub fn call(
        self,
        conv: &Convolution,
        weight: ValueId,
        bias: Option<ValueId>,
        epilogue: &Epilogue,
        autotune: bool,
    ) -> CallBuilder {
        match self {
            Library::OneDnn => onednn(conv, weight, bias, epilogue),
            Library::CuDnn => cudnn(conv, weight, bias, epilogue).with("tuned", Operand::Bool(autotune)),
        }
    }
}

/// Ours, which falls back to libtorch's calls one by one (`crates/torch-sys/cpp/onednn/fused_conv.cpp`).
fn onednn(conv: &Convolution, weight: ValueId, bias: Option<ValueId>, epilogue: &Epilogue) -> CallBuilder {
    let (activation, scalars, algorithm) = match &epilogue.activation {
        Some(activation) => activation.onednn(),
        None => ("none", Vec::new(), ""),
    };
    let scalars = Operand::List(scalars.into_iter().map(Operand::Float).collect());
    CallBuilder::of("pt2", ONEDNN, "default")
        .with("input", conv.input)
        .with("weight", weight)
        .with("bias", bias)
        .with("other", epilogue.other)
        .with("stride", conv.stride.as_slice())
        .with("padding", conv.padding.as_slice())
        .with("dilation", conv.dilation.as_slice())
        .with("groups", conv.groups)
        .with("activation", activation)
        .with("scalars", scalars)
        .with("algorithm", algorithm)
}

/// Ours, by plans of cuDNN that belong to a stream (`crates/torch-sys/cpp/cudnn`).
fn cudnn(conv: &Convolution, weight: ValueId, bias: Option<ValueId>, epilogue: &Epilogue) -> CallBuilder {
    CallBuilder::of("pt2", CUDNN, "default")
        .with("input", conv.input)
        .with("weight", weight)
        .with("bias", bias)
        .with("other", epilogue.other)
        .with("stride", conv.stride.as_slice())
        .with("padding", conv.padding.as_slice())
        .with("dilation", conv.dilation.as_slice())
        .with("groups", conv.groups)
        .with("relu", Operand::Bool(epilogue.activation.is_some()))
}

fn spatial(node: &Node) -> Option<usize> {
    let Target::Operator { namespace, name, overload } = &node.target else { return None };
    if namespace != "aten" || overload != "default" {
        return None;
    }
    match name.as_str() {
        "conv1d" => Some(1),
        "conv2d" => Some(2),
        "conv3d" => Some(3),
        "convolution" => match node.argument("stride")? {
            Operand::List(items) => Some(items.len()),
            _ => None,
        },
        _ => None,
    }
}

/// A single number stands for all dimensions.
fn ints(operand: Option<&Operand>, default: i64, count: usize) -> Option<Vec<i64>> {
    let items = match operand {
        None => return Some(vec![default; count]),
        Some(Operand::Int(single)) => vec![*single],
        Some(list) => list.as_ints()?,
    };
    match items.as_slice() {
        [single] => Some(vec![*single; count]),
        all => (all.len() == count).then_some(items),
    }
}

/// None if it is something else than a value or Python's None.
fn optional(operand: Option<&Operand>) -> Option<Option<ValueId>> {
    match operand {
        None | Some(Operand::None) => Some(None),
        Some(Operand::Value(value)) => Some(Some(*value)),
        Some(_) => None,
    }
}
