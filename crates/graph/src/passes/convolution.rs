//! Convolutions, as `aten` calls them and as libraries with fused calls do.

use super::activation::Activation;
use super::contiguity::has_contiguous_strides;
use super::graph_edit::CallBuilder;
use super::pt2_ops::{CUDNN, ONEDNN};
use crate::graph::{Graph, Node, Operand, Target, ValueId, ValueKind};
use crate::program::schema::{ScalarType, TensorMeta};

/// Library with fused calls for a convolution and its epilogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library {
    /// oneDNN, which runs on CPUs.
    OneDnn,
    /// cuDNN, which runs on CUDA devices.
    CuDnn,
}

/// Convolution that is not transposed, with every default filled in.
#[derive(Clone, Debug)]
pub struct Convolution {
    /// Tensor that is filtered.
    pub input: ValueId,
    /// Filters.
    pub weight: ValueId,
    /// Vector with one summand for each channel.
    pub bias: Option<ValueId>,
    /// Strides, one for each spatial dimension.
    pub stride: Vec<i64>,
    /// Padding, one for each spatial dimension.
    pub padding: Vec<i64>,
    /// Dilation, one for each spatial dimension.
    pub dilation: Vec<i64>,
    /// Number of groups of channels.
    pub groups: i64,
}

impl Convolution {
    /// Returns true if the convolution makes patches in one of these element types.
    ///
    /// Such a convolution has filters that do not overlap, on an image of few channels, as in
    /// vision transformers.
    pub fn makes_patches(&self, graph: &Graph, dtypes: &[ScalarType]) -> bool {
        const FEW: i64 = 4;
        let Some(meta) = graph.meta(self.weight).filter(|meta| dtypes.contains(&meta.dtype)) else {
            return false;
        };
        let [_, channels, filter @ ..] = meta.sizes.as_slice() else { return false };
        let apart = filter.iter().zip(&self.stride).all(|(size, stride)| size.at_export() == Some(*stride));
        apart && channels.at_export().is_some_and(|channels| channels <= FEW)
    }

    /// Returns the number of products that are summed for each element of the result.
    pub fn terms(&self, graph: &Graph) -> Option<i64> {
        let (_, filter) = graph.meta(self.weight)?.sizes.split_first()?;
        filter.iter().try_fold(1i64, |terms, size| terms.checked_mul(size.at_export()?))
    }

    /// Returns the convolution if the node is one of `aten`'s that is not transposed.
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

    /// Returns the number of spatial dimensions.
    pub fn spatial(&self) -> usize {
        self.stride.len()
    }
}

/// Operations after a convolution that a fused call includes.
#[derive(Clone, Debug, Default)]
pub struct Epilogue {
    /// Tensor of the result's sizes that is added first.
    pub other: Option<ValueId>,
    /// Activation that is applied last.
    pub activation: Option<Activation>,
}

/// Returns true if a value with three spatial dimensions was not contiguous at export.
///
/// The strides that the exporter recorded for such convolutions are not the kernels', so no pass
/// can restore them. `_conv_determine_backend_memory_format` of
/// `aten/src/ATen/native/Convolution.cpp` (2.11) knows no channels-last of three dimensions.
pub fn has_noncontiguous_volumes(graph: &Graph) -> bool {
    let is_reordered = |meta: &TensorMeta| meta.sizes.len() == 5 && !has_contiguous_strides(meta);
    graph
        .values
        .iter()
        .any(|value| matches!(&value.kind, ValueKind::Tensor(Some(meta)) if is_reordered(meta)))
}

impl Library {
    /// Returns true if the library has a call for this epilogue.
    ///
    /// oneDNN's calls with a sum (`aten/src/ATen/native/mkldnn/Conv.cpp`, 2.11) support ReLU only.
    /// `tests/operators/conv_fusion.rs` runs every combination.
    pub fn does(self, epilogue: &Epilogue) -> bool {
        match (self, &epilogue.other, &epilogue.activation) {
            (_, _, None | Some(Activation::Relu)) => true,
            (Library::OneDnn, None, Some(_)) => true,
            (Library::OneDnn, Some(_), Some(_)) | (Library::CuDnn, _, Some(_)) => false,
        }
    }

    /// Returns true if the calls return channels-last whatever the format of their arguments.
    pub fn fixes_layout(self) -> bool {
        self == Library::OneDnn
    }

    /// Returns the library's call. `weight` and `bias` must be in the library's form. With
    /// `autotune` the fastest engine is measured, where the library has several.
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

/// Builds a call with the arguments that both libraries take.
fn fused(
    name: &str,
    conv: &Convolution,
    weight: ValueId,
    bias: Option<ValueId>,
    epilogue: &Epilogue,
) -> CallBuilder {
    CallBuilder::of("pt2", name, "default")
        .with("input", conv.input)
        .with("weight", weight)
        .with("bias", bias)
        .with("other", epilogue.other)
        .with("stride", conv.stride.as_slice())
        .with("padding", conv.padding.as_slice())
        .with("dilation", conv.dilation.as_slice())
        .with("groups", conv.groups)
}

/// Builds the call of [`ONEDNN`], which has a fused fallback (`crates/torch-sys/cpp/onednn`).
fn onednn(conv: &Convolution, weight: ValueId, bias: Option<ValueId>, epilogue: &Epilogue) -> CallBuilder {
    let (activation, scalars, algorithm) = match &epilogue.activation {
        Some(activation) => activation.onednn(),
        None => ("none", Vec::new(), ""),
    };
    let scalars = Operand::List(scalars.into_iter().map(Operand::Float).collect());
    fused(ONEDNN, conv, weight, bias, epilogue)
        .with("activation", activation)
        .with("scalars", scalars)
        .with("algorithm", algorithm)
}

/// Builds the call of [`CUDNN`], whose plans belong to a stream (`crates/torch-sys/cpp/cudnn`).
fn cudnn(conv: &Convolution, weight: ValueId, bias: Option<ValueId>, epilogue: &Epilogue) -> CallBuilder {
    fused(CUDNN, conv, weight, bias, epilogue).with("relu", Operand::Bool(epilogue.activation.is_some()))
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

/// Returns a number for each dimension. A single number applies to all.
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

/// Returns the value, if there is one. The outer None means that the operand is neither a value nor
/// Python's None.
fn optional(operand: Option<&Operand>) -> Option<Option<ValueId>> {
    match operand {
        None | Some(Operand::None) => Some(None),
        Some(Operand::Value(value)) => Some(Some(*value)),
        Some(_) => None,
    }
}
