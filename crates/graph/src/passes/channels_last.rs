//! Layout: channels-last where the device's convolutions are faster in it.
//!
//! The weights of the convolutions are stored channels-last, once. libtorch then computes such
//! convolutions in channels-last, and later operators keep the format.
//!
//! The pass follows the values whose format differs from the exporter's through the graph. It
//! restores the exporter's format where the format is visible: in outputs, and in calls that may
//! depend on it. Where it cannot be restored, nothing is changed.

use super::alias::AliasAnalysis;
use super::changed::Changed;
use super::constant_analysis::ConstantSet;
use super::contiguity::{has_contiguous_strides, is_channels_last, is_contiguous};
use super::convolution::{Convolution, Epilogue, has_noncontiguous_volumes};
use super::device_profile::{DeviceProfile, LayoutCosts};
use super::graph_edit::{CallBuilder, GraphEdit};
use super::memory_format::{self, MemoryFormatRule};
use super::op_effects::OpEffect;
use super::pt2_ops::{CONTIGUOUS, CUDNN};
use super::recorded_strides::RecordedStrides;
use super::uses::Uses;
use super::weight_product;
use crate::Result;
use crate::graph::{Function, Graph, Node, Operand, Target, ValueId};
use crate::program::schema::{MemoryFormat, SymInt, TensorMeta};
use std::collections::{HashMap, HashSet};

/// Changes the layout if that lowers the cost of the convolutions, and follows calls that return a
/// fixed layout.
pub fn run(function: &mut Function, profile: &DeviceProfile) -> Result<Changed> {
    let aliases = AliasAnalysis::of_function(function);
    let weights = weights(function, profile, &aliases);
    let Some(region) = LayoutRegion::follow(&function.graph, &aliases, &weights) else {
        return Ok(Changed::No);
    };
    let mut rewrite = GraphEdit::new(&mut function.graph);
    region.apply(&mut rewrite, &weights);
    let changed = rewrite.finish();
    Ok(changed.or(restore_output_format(function, &region.outputs)))
}

/// Returns true if calls with a fixed layout do not change the format where it is visible and
/// cannot be restored.
pub fn can_be_followed(graph: &Graph) -> bool {
    LayoutRegion::follow(graph, &AliasAnalysis::of(graph), &HashMap::new()).is_some()
}

/// Returns the weights to change; none if that does not pay.
fn weights(function: &Function, profile: &DeviceProfile, aliases: &AliasAnalysis) -> HashMap<usize, Weight> {
    let Some(costs) = profile.channels_last else { return HashMap::new() };
    if is_mostly_depthwise(&function.graph, &costs) {
        return HashMap::new();
    }
    let constants = ConstantSet::of(function, aliases);
    let (makers, uses) = (function.graph.makers(), Uses::of(&function.graph));
    let reordered = has_noncontiguous_volumes(&function.graph);
    let of = |index| {
        let mut weight = Weight::of(&function.graph, index, &costs, profile, &constants)?;
        if reordered && weight.format == MemoryFormat::ChannelsLast3d {
            return None;
        }
        let maker = makers.get(&weight.value).filter(|_| uses.single_user(weight.value).is_some());
        weight.product = maker.and_then(|at| weight.product_at(&function.graph, *at));
        Some((index, weight))
    };
    let weights: HashMap<usize, Weight> = (0..function.graph.nodes.len()).filter_map(of).collect();
    let before: f64 = weights.values().map(|weight| weight.flops).sum();
    let after: f64 = weights.values().map(|weight| weight.flops * weight.factor).sum();
    if after < before { weights } else { HashMap::new() }
}

/// Weight of a convolution.
struct Weight {
    value: ValueId,
    /// Product that computes the weight, if the convolution is its only user.
    product: Option<ScaledWeight>,
    meta: TensorMeta,
    format: MemoryFormat,
    flops: f64,
    factor: f64,
    /// Call that replaces the convolution, where `aten`'s own is unsuitable for this format.
    call: Option<Node>,
}

impl Weight {
    fn of(
        graph: &Graph,
        index: usize,
        costs: &LayoutCosts,
        profile: &DeviceProfile,
        constants: &ConstantSet,
    ) -> Option<Weight> {
        let node = graph.nodes.get(index)?;
        let (value, groups, conv) = if let Some(Operand::Int(groups)) = fused_groups(node) {
            (node.argument("weight")?.value()?, *groups, None)
        } else {
            let conv = Convolution::of(node).filter(|conv| !conv.makes_patches(graph, profile.patches))?;
            (conv.weight, conv.groups, Some(conv))
        };
        let meta = graph.meta(value)?.clone();
        let sizes: Vec<f64> = meta.sizes.iter().map(|size| expected(size) as f64).collect();
        let (format, output) = match sizes.len() {
            4 => (MemoryFormat::ChannelsLast, graph.meta(node.result()?)?),
            5 => (MemoryFormat::ChannelsLast3d, graph.meta(node.result()?)?),
            _ => return None,
        };
        let stays = is_depthwise_2d(&meta, groups) && costs.depthwise_2d_stays.contains(&meta.dtype);
        let usable = constants.contains(value) && costs.dtypes.contains(&meta.dtype) && !stays;
        let (factor, flops) = (factor(&sizes, groups, costs)?, flops(&sizes, output));
        let result = node.result()?;
        let call = conv.and_then(|conv| depthwise_call(&conv, &meta, profile));
        let call = call.map(|call| call.instead_of(node, result));
        usable.then_some(Weight { value, product: None, meta, format, flops, factor, call })
    }
}

/// Returns true if a weight belongs to a depthwise convolution of two dimensions.
fn is_depthwise_2d(weight: &TensorMeta, groups: i64) -> bool {
    groups > 1 && weight.sizes.len() == 4 && weight.sizes.get(1) == Some(&SymInt::Int(1))
}

/// Returns the call of the device's library for a depthwise convolution of two dimensions, if it
/// has a kernel for it.
fn depthwise_call(conv: &Convolution, weight: &TensorMeta, profile: &DeviceProfile) -> Option<CallBuilder> {
    let fused = profile.convolution.filter(|_| is_depthwise_2d(weight, conv.groups))?;
    let depthwise = fused.depthwise.filter(|depthwise| depthwise.dtypes.contains(&weight.dtype))?;
    let is_for = |filter: &&i64| weight.sizes.iter().skip(2).all(|size| *size == SymInt::Int(**filter));
    depthwise.filters.iter().find(is_for)?;
    Some(fused.library.call(conv, conv.weight, conv.bias, &Epilogue::default(), fused.autotune))
}

/// Returns true if more than one in ten convolutions is a depthwise one that is left unchanged.
/// Changing the format around each would cost more than the others gain.
fn is_mostly_depthwise(graph: &Graph, costs: &LayoutCosts) -> bool {
    let (mut all, mut depthwise) = (0, 0);
    for conv in graph.nodes.iter().filter_map(Convolution::of) {
        all += 1;
        let stays = |meta: &&TensorMeta| {
            is_depthwise_2d(meta, conv.groups) && costs.depthwise_2d_stays.contains(&meta.dtype)
        };
        depthwise += usize::from(graph.meta(conv.weight).filter(stays).is_some());
    }
    depthwise * 10 > all
}

fn fused_groups(node: &Node) -> Option<&Operand> {
    node.is("pt2", CUDNN).then(|| node.argument("groups"))?
}

/// Product of a weight and factors for it.
struct ScaledWeight {
    at: usize,
    weight: ValueId,
    factors: ValueId,
}

impl Weight {
    fn product_at(&self, graph: &Graph, at: usize) -> Option<ScaledWeight> {
        let (weight, factors) = weight_product::sides(graph.nodes.get(at)?)?;
        let whole = graph.meta(weight)?;
        let same = whole.sizes == self.meta.sizes && whole.dtype == self.meta.dtype;
        same.then_some(ScaledWeight { at, weight, factors })
    }

    /// Builds the call that makes the weight channels-last. A product writes that format directly,
    /// which saves loading another kernel.
    fn in_format(&self, rewrite: &mut GraphEdit) -> CallBuilder {
        let Some(ScaledWeight { at, weight, factors }) = self.product else {
            return in_format(self.value, self.format);
        };
        rewrite.remove(at);
        weight_product::product(weight, factors, self.format)
    }
}

/// Returns the relative cost of a convolution, in the categories of `decide_layout_opt` of
/// `torch/_inductor/graph.py` (2.11).
fn factor(weight: &[f64], groups: i64, costs: &LayoutCosts) -> Option<f64> {
    let (out, within, height) = (*weight.first()?, *weight.get(1)?, *weight.get(2)?);
    Some(if groups > 1 && within > 1.0 {
        costs.grouped
    } else if groups > 1 && weight.len() == 5 {
        costs.depthwise_3d?
    } else if out <= 64.0 && within <= 64.0 {
        costs.small
    } else if out * 2.0 <= within && height > 1.0 {
        costs.narrowing
    } else {
        costs.other
    })
}

/// Returns the multiplications of a convolution. Each element of the result takes those of one
/// filter.
fn flops(weight: &[f64], output: &TensorMeta) -> f64 {
    let result: f64 = output.sizes.iter().map(|size| expected(size) as f64).product();
    result * weight.iter().skip(1).product::<f64>()
}

/// Returns the size, or its hint at export.
fn expected(size: &SymInt) -> i64 {
    size.at_export().unwrap_or(1)
}

/// Changes to the graph besides the weights.
#[derive(Default)]
struct LayoutRegion {
    /// Values in another format than the exporter's.
    touched: HashSet<ValueId>,
    /// Nodes that need the exporter's format of these values.
    restored: Vec<(usize, ValueId)>,
    /// Views that may have to copy now.
    views: Vec<(usize, Node)>,
    /// Nodes that make a tensor contiguous. They become libpt2's operator, because `aten`'s treats
    /// an image of one pixel as contiguous.
    contiguous: Vec<usize>,
    /// Values that are returned in another format.
    outputs: Vec<ValueId>,
    /// Values whose recorded strides may differ from the kernels'.
    recorded: RecordedStrides,
}

impl LayoutRegion {
    /// Returns None if the format is visible where it cannot be restored.
    fn follow(
        graph: &Graph,
        aliases: &AliasAnalysis,
        weights: &HashMap<usize, Weight>,
    ) -> Option<LayoutRegion> {
        let mut region = LayoutRegion { recorded: RecordedStrides::of(graph), ..LayoutRegion::default() };
        for (index, node) in graph.nodes.iter().enumerate() {
            if weights.contains_key(&index) || memory_format::of(node) == MemoryFormatRule::ChannelsLast {
                region.touched.extend(node.defined());
                continue;
            }
            let mut read = Vec::new();
            node.for_each_use(&mut |value| read.push(value));
            read.retain(|value| region.touched.contains(value));
            if !read.is_empty() {
                region.pass(graph, aliases, index, node, &read)?;
            }
        }
        for output in &graph.outputs {
            output.for_each_value(&mut |value| region.outputs.extend(region.touched.get(&value)));
        }
        region.outputs.sort_unstable();
        region.outputs.dedup();
        region.outputs.iter().all(|value| region.was_contiguous(graph, *value)).then_some(region)
    }

    /// Returns true if a contiguous copy restores the exporter's format of a value.
    fn was_contiguous(&self, graph: &Graph, value: ValueId) -> bool {
        graph.meta(value).is_some_and(is_contiguous) && self.recorded.have_order(value)
    }

    /// Returns true if a contiguous copy restores all strides of a value, including those of
    /// dimensions of size one, by which kernels choose a memory format.
    fn had_contiguous_strides(&self, graph: &Graph, value: ValueId) -> bool {
        graph.meta(value).is_some_and(has_contiguous_strides) && self.recorded.are_exact(value)
    }

    /// Returns true if a value was channels-last at export and not also contiguous.
    fn was_only_channels_last(&self, graph: &Graph, value: ValueId) -> bool {
        let recorded = self.recorded.have_order(value);
        recorded && graph.meta(value).is_some_and(|meta| is_channels_last(meta) && !is_contiguous(meta))
    }

    /// Returns true if a node may read copies in the exporter's format instead of the values: none
    /// of them is written to from that node on.
    fn can_be_put_back(
        &self,
        graph: &Graph,
        aliases: &AliasAnalysis,
        values: &[ValueId],
        node: usize,
    ) -> bool {
        let is_free = |value: ValueId| !aliases.written(value, node..usize::MAX);
        values.iter().all(|value| self.had_contiguous_strides(graph, *value) && is_free(*value))
    }

    fn pass(
        &mut self,
        graph: &Graph,
        aliases: &AliasAnalysis,
        index: usize,
        node: &Node,
        read: &[ValueId],
    ) -> Option<()> {
        match memory_format::of(node) {
            MemoryFormatRule::Kept => self.touched.extend(node.defined()),
            MemoryFormatRule::Own if node.is_aten("contiguous") => self.contiguous.push(index),
            MemoryFormatRule::Own | MemoryFormatRule::ChannelsLast => {}
            MemoryFormatRule::Viewed => {
                // The program must not be able to distinguish the copy from a view.
                let written = |value: ValueId| aliases.written(value, index..usize::MAX);
                if read.iter().copied().chain(node.defined()).any(written) {
                    return None;
                }
                self.views.push((index, reshape(node)?));
                self.touched.extend(node.defined());
            }
            MemoryFormatRule::Preferred if !self.can_be_put_back(graph, aliases, read, index) => {
                self.touched.extend(node.defined());
            }
            MemoryFormatRule::Preferred => self.restored.extend(read.iter().map(|value| (index, *value))),
            // Keeps the exporter's format if that was channels-last. With one pixel or channel,
            // kernels read the strides.
            MemoryFormatRule::Sensitive
                if read.iter().all(|value| self.was_only_channels_last(graph, *value)) =>
            {
                self.touched.extend(node.defined());
            }
            MemoryFormatRule::Seen | MemoryFormatRule::Sensitive => {
                let only_reads =
                    OpEffect::of(node) != OpEffect::Unknown && OpEffect::of(node) != OpEffect::InPlace;
                if !only_reads || !self.can_be_put_back(graph, aliases, read, index) {
                    return None;
                }
                self.restored.extend(read.iter().map(|value| (index, *value)));
            }
        }
        Some(())
    }

    fn apply(&self, rewrite: &mut GraphEdit, weights: &HashMap<usize, Weight>) {
        let mut ordered: Vec<_> = weights.iter().collect();
        ordered.sort_unstable_by_key(|(index, _)| **index);
        for (index, weight) in ordered {
            let meta = TensorMeta { requires_grad: false, ..weight.meta.clone() };
            let call = weight.in_format(rewrite);
            let last = rewrite.insert(*index, "channels_last_weight", Some(meta), call);
            weight.call.iter().for_each(|call| rewrite.replace(*index, call.clone()));
            rewrite.edit(*index, |node| node.set_argument("weight", Operand::Value(last)));
        }
        for (index, view) in &self.views {
            rewrite.replace(*index, view.clone());
        }
        for index in &self.contiguous {
            rewrite.edit(*index, |node| {
                node.target = Target::operator("pt2", CONTIGUOUS, "default");
                node.inputs.retain(|argument| argument.name == "self");
            });
        }
        for (index, value) in &self.restored {
            let first = rewrite.insert(
                *index,
                "old_order",
                None,
                CallBuilder::of("pt2", CONTIGUOUS, "default").with("self", *value),
            );
            rewrite.edit(*index, |node| {
                node.inputs.iter_mut().for_each(|argument| {
                    argument.value.replace(&|id| (id == *value).then_some(Operand::Value(first)))
                });
            });
        }
    }
}

fn in_format(value: ValueId, format: MemoryFormat) -> CallBuilder {
    let call = CallBuilder::aten("clone", "default").with("self", value);
    call.with("memory_format", Operand::MemoryFormat(format))
}

/// Returns `reshape` in place of a `view` of a value in another format than the exporter's.
fn reshape(node: &Node) -> Option<Node> {
    let size = node.argument("size")?.clone();
    let input = node.inputs.first()?.value.value()?;
    let call = CallBuilder::aten("reshape", "default").with("self", input).with("shape", size);
    Some(call.instead_of(node, node.result()?))
}

/// Restores the exporter's format of the outputs.
fn restore_output_format(function: &mut Function, outputs: &[ValueId]) -> Changed {
    let graph = &mut function.graph;
    let end = graph.nodes.len();
    let mut restored = HashMap::new();
    let mut rewrite = GraphEdit::new(graph);
    for value in outputs {
        let meta = rewrite.meta(*value);
        let call = in_format(*value, MemoryFormat::ContiguousFormat);
        restored.insert(*value, rewrite.insert(end, "returned", meta, call));
    }
    let changed = rewrite.finish();
    for output in &mut function.graph.outputs {
        output.replace(&|value| restored.get(&value).copied().map(Operand::Value));
    }
    changed
}
