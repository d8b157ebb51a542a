//! Keeps the program independent of the strides that kernels choose.
//!
//! Kernels of another device or another version of libtorch may return other strides than the
//! exporter recorded. Attention, convolutions, norms, sorts and transforms do. `view` was recorded
//! for the exporter's strides and fails on others.
//!
//! So a `view` of such a value becomes `reshape`, which copies only where a view is impossible. If
//! one of the two is written to, the program could distinguish a copy from a view. Then the
//! kernel's result is copied into the recorded strides right after the kernel. The same is done
//! where a call reads the strides themselves. Where the record is not that of the exporter's
//! kernels either ([`RecordedStrides`]), results stay as they are on a device of the same type.

use super::alias::AliasAnalysis;
use super::changed::Changed;
use super::device_profile::DeviceProfile;
use super::elementwise::is_elementwise;
use super::memory_format::{self, MemoryFormatRule};
use super::op_effects::OpEffect;
use super::pt2_ops::RESTRIDE;
use super::recorded_strides::RecordedStrides;
use crate::Result;
use crate::graph::{Argument, Function, Graph, Node, Operand, Output, Rewriter, Target, ValueId};
use crate::program::schema::TensorMeta;
use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::convert::Infallible;

/// Rewrites the program's own graph and the graphs inside it.
pub fn run(function: &mut Function, profile: &DeviceProfile) -> Result<Changed> {
    let aliases = AliasAnalysis::of_function(function);
    let mut changed = inside(&mut function.graph, profile);
    let changes = Changes::of(&function.graph, &aliases, profile, false);
    changed = changed.or(changes.apply(&mut function.graph));
    Ok(changed)
}

/// Rewrites the graphs inside of a graph.
fn inside(graph: &mut Graph, profile: &DeviceProfile) -> Changed {
    let mut changed = Changed::No;
    graph.for_each_graph_mut(&mut |inner| {
        let within = inside(&mut inner.graph, profile);
        let aliases = AliasAnalysis::of(&inner.graph);
        let changes = Changes::of(&inner.graph, &aliases, profile, true);
        changed = changed.or(within).or(changes.apply(&mut inner.graph));
    });
    changed
}

/// Requirement of a call on its first argument's strides.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    /// Strides that allow a view with these sizes.
    View,
    /// A dense innermost dimension, as recorded.
    Dense,
    /// A result that is a view, as it was for the exporter, if the program writes to either.
    Alias,
    /// All strides, and the memory around the argument.
    Memory,
}

impl Need {
    fn of(node: &Node) -> Option<Need> {
        let Target::Operator { namespace, name, .. } = &node.target else { return None };
        match (namespace.as_str(), name.as_str()) {
            ("aten", "view") if node.argument("size").is_some() => Some(Need::View),
            ("aten", "_unsafe_view") => Some(Need::View),
            ("aten", "view" | "view_as_complex") => Some(Need::Dense),
            ("aten", "contiguous" | "flatten" | "reshape" | "reshape_as") => Some(Need::Alias),
            (
                "aten",
                "_reshape_alias" | "as_strided" | "as_strided_" | "as_strided_copy" | "as_strided_scatter"
                | "sym_storage_offset" | "sym_stride",
            ) => Some(Need::Memory),
            _ => None,
        }
    }
}

/// Changes that a graph needs.
#[derive(Default)]
struct Changes {
    /// Positions of the nodes that become `reshape`.
    reshaped: HashSet<usize>,
    /// Nodes whose first argument is copied into its recorded strides, with the order of its
    /// dimensions.
    before: HashMap<usize, Vec<i64>>,
    /// Values that are copied into their recorded strides after their definition.
    made: HashMap<ValueId, Vec<i64>>,
}

impl Changes {
    /// Finds the changes of a graph. For a `nested` graph, the later uses of its inputs and outputs
    /// are unknown.
    fn of(graph: &Graph, aliases: &AliasAnalysis, profile: &DeviceProfile, nested: bool) -> Changes {
        let chosen = Chosen::of(graph, nested);
        let recorded = OnceCell::new();
        let is_restorable = |value: &ValueId| {
            let differs = graph.meta(*value).is_some_and(|meta| !profile.is_like(&meta.device));
            differs || recorded.get_or_init(|| RecordedStrides::of(graph)).have_order(*value)
        };
        let mut changes = Changes::default();
        for (index, node) in graph.nodes.iter().enumerate() {
            let Some(need) = Need::of(node) else { continue };
            let Some(input) = node.inputs.first().and_then(|argument| argument.value.value()) else {
                continue;
            };
            if !chosen.contains(input) {
                continue;
            }
            let outer = nested && reaches_inputs(graph, aliases, input) && returned(node, aliases);
            let shared = outer || aliases.written(input, index..usize::MAX);
            match (need, shared) {
                (Need::View, false) => drop(changes.reshaped.insert(index)),
                (Need::Alias, false) => {}
                (Need::Dense, false) => {
                    let order = order_of(graph, input).filter(|_| is_restorable(&input));
                    changes.before.extend(order.map(|order| (index, order)));
                }
                _ => {
                    let owner = owner(graph, aliases, input);
                    changes.made.extend(owner.filter(|(owner, _)| is_restorable(owner)));
                }
            }
        }
        changes
    }

    fn apply(&self, graph: &mut Graph) -> Changed {
        if self.reshaped.is_empty() && self.before.is_empty() && self.made.is_empty() {
            return Changed::No;
        }
        let mut index = 0;
        let written = graph.rewrite(|rewriter, mut node| {
            let at = index;
            index += 1;
            if self.reshaped.contains(&at) {
                reshape(&mut node);
            }
            if let Some(order) = self.before.get(&at) {
                first_argument(rewriter, &mut node, order);
            }
            let mut after = Vec::new();
            for value in node.outputs.iter_mut().flat_map(Output::values_mut) {
                let Some(order) = self.made.get(value) else { continue };
                let raw = rewriter.twin(*value);
                after.push((raw, *value, order));
                *value = raw;
            }
            let after: Vec<Node> =
                after.into_iter().map(|(raw, value, order)| restride(raw, value, order, &node)).collect();
            rewriter.push(node);
            after.into_iter().for_each(|node| rewriter.push(node));
            Ok::<(), Infallible>(())
        });
        let Ok(()) = written;
        Changed::Yes
    }
}

/// Values whose strides a kernel may have chosen. The caller determines those of inputs; those of
/// matrix products are the same on every device.
struct Chosen(Vec<bool>);

impl Chosen {
    fn of(graph: &Graph, nested: bool) -> Chosen {
        let mut chosen = Chosen(vec![false; graph.values.len()]);
        if nested {
            graph.inputs.iter().for_each(|input| chosen.add(*input));
        }
        for node in &graph.nodes {
            if !has_fixed_strides(node, &chosen) {
                node.defined().for_each(|value| chosen.add(value));
            }
        }
        chosen
    }

    fn add(&mut self, value: ValueId) {
        if let Some(chosen) = self.0.get_mut(value.index()) {
            *chosen = true;
        }
    }

    fn contains(&self, value: ValueId) -> bool {
        self.0.get(value.index()) == Some(&true)
    }
}

fn has_fixed_strides(node: &Node, chosen: &Chosen) -> bool {
    if memory_format::of(node) == MemoryFormatRule::Own || node.is_aten("as_strided") {
        return true;
    }
    if !matches!(OpEffect::of(node), OpEffect::View | OpEffect::InPlace) && !is_elementwise(node) {
        return false;
    }
    let mut follows = false;
    node.for_each_use(&mut |value| follows |= chosen.contains(value));
    !follows
}

fn reaches_inputs(graph: &Graph, aliases: &AliasAnalysis, value: ValueId) -> bool {
    aliases.roots(value).as_ref().is_none_or(|roots| roots.iter().any(|root| graph.inputs.contains(root)))
}

fn returned(node: &Node, aliases: &AliasAnalysis) -> bool {
    node.defined().any(|value| aliases.returned(value))
}

/// Returns the value that owns the memory of another one, if a node made it and its recorded
/// strides are known.
fn owner(graph: &Graph, aliases: &AliasAnalysis, value: ValueId) -> Option<(ValueId, Vec<i64>)> {
    let [owner] = aliases.roots(value).as_deref()? else { return None };
    let made = aliases.is_fresh(*owner) && !graph.inputs.contains(owner);
    made.then(|| order_of(graph, *owner).map(|order| (*owner, order)))?
}

/// Returns the order of a tensor's dimensions in memory, the outermost first, if it was dense at
/// export.
fn order_of(graph: &Graph, value: ValueId) -> Option<Vec<i64>> {
    order(graph.meta(value)?)
}

fn order(meta: &TensorMeta) -> Option<Vec<i64>> {
    let sizes: Vec<i64> = meta.sizes.iter().map(|size| size.at_export()).collect::<Option<_>>()?;
    let strides: Vec<i64> = meta.strides.iter().map(|stride| stride.at_export()).collect::<Option<_>>()?;
    if sizes.len() != strides.len() {
        return None;
    }
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|dimension| std::cmp::Reverse(strides.get(*dimension).copied()));
    let mut dense = 1i64;
    for dimension in order.iter().rev() {
        let (size, stride) = (sizes.get(*dimension)?, strides.get(*dimension)?);
        if *size != 1 && *stride != dense {
            return None;
        }
        dense = dense.checked_mul(*size)?;
    }
    order.into_iter().map(|dimension| i64::try_from(dimension).ok()).collect()
}

/// Copies a node's first argument into its recorded strides.
fn first_argument(rewriter: &mut Rewriter<'_>, node: &mut Node, order: &[i64]) {
    let Some(value) = node.inputs.first().and_then(|argument| argument.value.value()) else { return };
    let result = rewriter.twin(value);
    rewriter.push(restride(value, result, order, node));
    if let Some(argument) = node.inputs.first_mut() {
        argument.value = Operand::Value(result);
    }
}

/// Turns `view` into `reshape`, which copies where a view is impossible.
fn reshape(node: &mut Node) {
    node.target = Target::operator("aten", "reshape", "default");
    for argument in &mut node.inputs {
        if argument.name == "size" {
            argument.name = "shape".into();
        }
    }
}

fn restride(value: ValueId, result: ValueId, order: &[i64], beside: &Node) -> Node {
    let argument = |name: &str, value: Operand| Argument { name: name.into(), keyword: None, value };
    Node {
        name: format!("{} ({RESTRIDE})", beside.name),
        target: Target::operator("pt2", RESTRIDE, "default"),
        inputs: vec![argument("self", value.into()), argument("order", order.into())],
        outputs: vec![Output::Value(result)],
        trace: beside.trace.clone(),
        author: beside.author,
    }
}
