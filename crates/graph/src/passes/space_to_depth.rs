//! Space-to-depth: strided convolutions of images with few channels become convolutions of blocks
//! of pixels.
//!
//! A convolution with a stride of two reads blocks of 2×2 pixels. A block with three channels is
//! the same as one pixel with twelve. The products are the same, in filters of half the height and
//! width. Tensor cores need channels in multiples of eight, and with three most of their work is
//! padding.
//!
//! Filters are rewritten once. The image is copied in each call anyway, to make it channels-last.
//!
//! Runs after `channels_last`, and only where that made a weight channels-last, so that no other value
//! changes its format.

use super::alias::AliasAnalysis;
use super::changed::Changed;
use super::constant_analysis::ConstantSet;
use super::device_profile::{DeviceProfile, FewChannels};
use super::graph_edit::{CallBuilder, GraphEdit};
use super::memory_format::memory_format;
use super::pt2_ops::{CUDNN, SPACE_TO_DEPTH};
use crate::Result;
use crate::graph::{Function, Graph, Node, Operand, ValueId};
use crate::program::schema::{MemoryFormat, ScalarType, SymInt, TensorMeta};
use std::collections::HashMap;

/// Rewrites where the device gains by it.
pub fn run(function: &mut Function, profile: &DeviceProfile) -> Result<Changed> {
    let Some(few) = profile.few_channels else { return Ok(Changed::No) };
    let makers = function.graph.makers();
    let mut found: Vec<(usize, Blocks)> = (0..function.graph.nodes.len())
        .filter_map(|index| Some((index, Blocks::of(&function.graph, index, &few, &makers)?)))
        .collect();
    if found.is_empty() {
        return Ok(Changed::No);
    }
    let constants = ConstantSet::of(function, &AliasAnalysis::of_function(function));
    found.retain(|(_, blocks)| constants.contains(blocks.weight));
    let mut rewrite = GraphEdit::new(&mut function.graph);
    found.into_iter().for_each(|(index, blocks)| blocks.apply(index, &mut rewrite));
    Ok(rewrite.finish())
}

impl FewChannels {
    fn smallest(&self, dtype: ScalarType) -> Option<i64> {
        self.filters.iter().find(|(known, _)| *known == dtype).map(|(_, smallest)| *smallest)
    }
}

/// Blocks along one of the two spatial dimensions.
#[derive(Clone, Copy)]
struct Axis {
    block: i64,
    /// Zeros around the image, so that its padding consists of whole blocks.
    before: i64,
    after: i64,
    /// Zeros around the filter.
    filter_before: i64,
    filter_after: i64,
    /// Numbers of blocks in the padded image and in the padded filter.
    blocks: i64,
    filter_blocks: i64,
}

impl Axis {
    /// Returns None if the image is no whole number of blocks, or if the convolution does not reach
    /// its end.
    fn of(size: i64, filter: i64, stride: i64, padding: i64) -> Option<Axis> {
        let up = |size: i64| size.checked_add(stride - 1).map(|size| size / stride * stride);
        if stride < 2 || filter <= stride || padding < 0 || size % stride != 0 {
            return None;
        }
        let before = up(padding)?;
        let filter_before = before - padding;
        let padded = up(filter.checked_add(filter_before)?)?;
        let room = size.checked_add(padding.checked_mul(2)?)?.checked_sub(filter)?;
        let results = (room >= 0).then_some(room / stride + 1)?;
        let (filter_blocks, blocks) = (padded / stride, results - 1 + padded / stride);
        let after = blocks.checked_mul(stride)?.checked_sub(size)?.checked_sub(before)?;
        let filter_after = padded - filter - filter_before;
        (after >= 0).then_some(Axis {
            block: stride,
            before,
            after,
            filter_before,
            filter_after,
            blocks,
            filter_blocks,
        })
    }
}

/// Convolution that can be rewritten as one of blocks.
struct Blocks {
    input: ValueId,
    weight: ValueId,
    axes: [Axis; 2],
    channels: i64,
    /// Metadata of the image and the filters as blocks.
    input_meta: TensorMeta,
    weight_meta: TensorMeta,
}

impl Blocks {
    fn of(
        graph: &Graph,
        index: usize,
        few: &FewChannels,
        makers: &HashMap<ValueId, usize>,
    ) -> Option<Blocks> {
        let node = graph.nodes.get(index).filter(|node| node.is("pt2", CUDNN))?;
        let (input, weight) = (node.argument("input")?.value()?, node.argument("weight")?.value()?);
        let (input_meta, weight_meta) = (graph.meta(input)?, graph.meta(weight)?);
        if !is_channels_last(graph.nodes.get(*makers.get(&weight)?)?) || !is_plain(node) {
            return None;
        }
        let [_, channels, height, width] = fixed(&input_meta.sizes)?;
        let [_, _, filter_height, filter_width] = fixed(&weight_meta.sizes)?;
        let axis = |at: usize, size, filter| {
            let number = |name: &str| node.argument(name)?.as_ints()?.get(at).copied();
            Axis::of(size, filter, number("stride")?, number("padding")?)
        };
        let axes = [axis(0, height, filter_height)?, axis(1, width, filter_width)?];
        let held: i64 = axes.iter().map(|axis| axis.block).product::<i64>().checked_mul(channels)?;
        if held > few.channels || filter_height.min(filter_width) < few.smallest(weight_meta.dtype)? {
            return None;
        }
        let of = |meta, blocks: fn(&Axis) -> i64| in_blocks(meta, few.channels, axes.each_ref().map(blocks));
        Some(Blocks {
            input,
            weight,
            axes,
            channels: few.channels,
            input_meta: of(input_meta, |axis| axis.blocks)?,
            weight_meta: of(weight_meta, |axis| axis.filter_blocks)?,
        })
    }

    fn apply(self, index: usize, rewrite: &mut GraphEdit) {
        let of = |value, before: fn(&Axis) -> i64, after: fn(&Axis) -> i64| {
            let numbers = |number: fn(&Axis) -> i64| self.axes.each_ref().map(number);
            CallBuilder::of("pt2", SPACE_TO_DEPTH, "default")
                .with("self", value)
                .with("block", numbers(|axis| axis.block).as_slice())
                .with("before", numbers(before).as_slice())
                .with("after", numbers(after).as_slice())
                .with("channels", self.channels)
        };
        let image = of(self.input, |axis| axis.before, |axis| axis.after);
        let filters = of(self.weight, |axis| axis.filter_before, |axis| axis.filter_after);
        let image = rewrite.insert(index, "blocks", Some(self.input_meta), image);
        let filters = rewrite.insert(index, "filters_of_blocks", Some(self.weight_meta), filters);
        rewrite.edit(index, |node| {
            node.set_argument("input", Operand::Value(image));
            node.set_argument("weight", Operand::Value(filters));
            node.set_argument("stride", Operand::ints(&[1, 1]));
            node.set_argument("padding", Operand::ints(&[0, 0]));
        });
    }
}

/// Returns true for convolutions of one group without dilation.
fn is_plain(node: &Node) -> bool {
    let dilation = node.argument("dilation").and_then(Operand::as_ints);
    node.argument("groups") == Some(&Operand::Int(1)) && dilation.as_deref() == Some(&[1, 1])
}

/// Returns true if `channels_last` made the node write a channels-last weight.
fn is_channels_last(maker: &Node) -> bool {
    memory_format(maker) == Some(MemoryFormat::ChannelsLast)
}

/// Returns the sizes if all but the first are fixed.
fn fixed(sizes: &[SymInt]) -> Option<[i64; 4]> {
    let size = |(at, size): (usize, &SymInt)| match size {
        SymInt::Int(size) => Some(*size),
        SymInt::Expr(_) => (at == 0).then_some(0),
    };
    let sizes: Option<Vec<i64>> = sizes.iter().enumerate().map(size).collect();
    sizes?.try_into().ok()
}

/// Returns the metadata of an image or of filters after the rewrite to blocks.
fn in_blocks(meta: &TensorMeta, channels: i64, [rows, columns]: [i64; 2]) -> Option<TensorMeta> {
    let row = columns.checked_mul(channels)?;
    let ints = |numbers: [i64; 3]| numbers.map(SymInt::Int);
    let sizes = std::iter::once(meta.sizes.first()?.clone()).chain(ints([channels, rows, columns]));
    let strides = std::iter::once(SymInt::Int(row.checked_mul(rows)?)).chain(ints([1, row, channels]));
    Some(TensorMeta {
        sizes: sizes.collect(),
        strides: strides.collect(),
        storage_offset: SymInt::Int(0),
        requires_grad: false,
        ..meta.clone()
    })
}
