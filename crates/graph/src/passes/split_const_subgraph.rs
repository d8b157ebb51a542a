//! Splits a function into the const subgraphs of constant folding and the part that runs in every
//! call.

use super::alias::AliasAnalysis;
use super::constant_analysis::ConstantSet;
use super::folding_budget::FoldingBudget;
use super::pt2_ops::{CONVOLUTION_WEIGHT, FOLD_NORMS, PRODUCT, SPACE_TO_DEPTH};
use crate::graph::{Author, Function, Graph, InputBinding, Node, OutputBinding, Target, ValueId};
use std::collections::HashSet;

/// Parts of a function.
#[derive(Debug)]
pub struct SplitFunction {
    /// Const subgraph that runs while the model is loaded: nodes that passes inserted and that
    /// libpt2's kernels compute from stored tensors alone.
    pub at_load: Option<ConstSubgraph>,
    /// Const subgraph that runs in the first call: nodes of the archive that depend on weights
    /// only.
    pub at_first_call: Option<ConstSubgraph>,
    /// Part that runs in every call. Takes the folded constants of both as weights, by name.
    /// Weights that no node reads are no inputs of it.
    pub call: Function,
}

/// Const subgraph: a function that takes weights, including earlier folded constants, and returns
/// folded constants.
#[derive(Clone, Debug)]
pub struct ConstSubgraph {
    /// Function that computes the constants.
    pub function: Function,
    /// Names of the constants, one for each output. No weight has such a name.
    pub names: Vec<String>,
}

/// Splits a function after the passes.
pub fn split_const_subgraph(mut function: Function) -> SplitFunction {
    let aliases = AliasAnalysis::of_function(&function);
    let constants = ConstantSet::of(&function, &aliases);
    let early = early(&function, &constants);
    let runs_once =
        |node: &Node| node.defined().next().is_some() && node.defined().all(|id| constants.contains(id));
    let at_load = extract(&mut function, |node| node.defined().any(|id| early.holds(id)));
    let at_first_call = extract(&mut function, runs_once);
    drop_unused_inputs(&mut function);
    function.graph.renumber();
    SplitFunction { at_load, at_first_call, call: function }
}

/// Finds the values that are computed while a model is loaded.
///
/// Their nodes were inserted by passes, call kernels that check their arguments, and read only
/// stored tensors and other such values.
fn early(function: &Function, constants: &ConstantSet) -> ValueSet {
    let graph = &function.graph;
    let mut stored = ValueSet(vec![false; graph.values.len()]);
    let bound = graph.inputs.iter().zip(&function.inputs);
    bound.filter(|(_, binding)| binding.weight().is_some()).for_each(|(value, _)| stored.add(*value));
    let (mut early, mut budget) =
        (ValueSet(vec![false; graph.values.len()]), FoldingBudget::at_load(function));
    for node in graph.nodes.iter().filter(|node| node.author == Author::Pass && may_run_early(&node.target)) {
        let mut reads_early = true;
        node.for_each_use(&mut |value| reads_early &= stored.holds(value) || early.holds(value));
        if reads_early
            && node.defined().all(|value| constants.contains(value))
            && constants.infer(node).is_some_and(|inferred| budget.charge(&inferred))
        {
            node.defined().for_each(|value| early.add(value));
        }
    }
    early
}

/// Subset of a graph's values.
struct ValueSet(Vec<bool>);

impl ValueSet {
    fn holds(&self, value: ValueId) -> bool {
        self.0.get(value.index()).copied().unwrap_or(false)
    }

    fn add(&mut self, value: ValueId) {
        if let Some(held) = self.0.get_mut(value.index()) {
            *held = true;
        }
    }
}

/// Returns true for libpt2's kernels, which check sizes and dtypes themselves, and for the
/// operators of aten that passes insert around them.
fn may_run_early(target: &Target) -> bool {
    let Target::Operator { namespace, name, .. } = target else { return false };
    match namespace.as_str() {
        "pt2" => [FOLD_NORMS, PRODUCT, CONVOLUTION_WEIGHT, SPACE_TO_DEPTH].contains(&name.as_str()),
        "aten" => ["clone", "reshape", "split_with_sizes", "t"].contains(&name.as_str()),
        _ => false,
    }
}

/// Moves nodes into a const subgraph, whose results become weights of the function. None if the
/// function reads none of them.
fn extract(function: &mut Function, belongs: impl Fn(&Node) -> bool) -> Option<ConstSubgraph> {
    let nodes = std::mem::take(&mut function.graph.nodes);
    let (const_nodes, rest): (Vec<Node>, Vec<Node>) = nodes.into_iter().partition(belongs);
    function.graph.nodes = rest;
    if const_nodes.is_empty() {
        return None;
    }
    let boundary_values = boundary_values(&const_nodes, &function.graph);
    let names = names(function, &boundary_values);
    let part = (!boundary_values.is_empty()).then(|| part(function, const_nodes, &boundary_values));
    for (value, name) in boundary_values.iter().zip(&names) {
        function.graph.inputs.push(*value);
        function.inputs.push(InputBinding::TensorConstant(name.clone()));
    }
    part.map(|function| ConstSubgraph { function, names })
}

/// Returns the values that one part defines and the other reads.
fn boundary_values(const_nodes: &[Node], call: &Graph) -> Vec<ValueId> {
    let read = reads(call);
    const_nodes.iter().flat_map(|node| node.defined()).filter(|value| read.contains(value)).collect()
}

fn reads(graph: &Graph) -> HashSet<ValueId> {
    let mut read = HashSet::new();
    let mut add = |value| {
        read.insert(value);
    };
    graph.nodes.iter().for_each(|node| node.for_each_use(&mut add));
    graph.outputs.iter().for_each(|output| output.for_each_value(&mut add));
    read
}

fn names(function: &Function, values: &[ValueId]) -> Vec<String> {
    let taken = function.weights();
    let name = |value: &ValueId| {
        let plain = function.graph.value(*value).map_or("", |value| value.name.as_str());
        let numbered = (0..).map(|number| format!("{plain} once {number}"));
        numbered.into_iter().find(|name| !taken.contains(name.as_str())).unwrap_or_default()
    };
    values.iter().map(name).collect()
}

fn part(function: &Function, nodes: Vec<Node>, outputs: &[ValueId]) -> Function {
    let (inputs, bindings) = function
        .graph
        .inputs
        .iter()
        .zip(&function.inputs)
        .filter(|(_, binding)| binding.weight().is_some())
        .map(|(value, binding)| (*value, binding.clone()))
        .unzip();
    let graph = Graph {
        values: function.graph.values.clone(),
        inputs,
        nodes,
        outputs: outputs.iter().copied().map(Into::into).collect(),
    };
    let mut part = Function { graph, inputs: bindings, outputs: vec![OutputBinding::User; outputs.len()] };
    drop_unused_inputs(&mut part);
    part.graph.renumber();
    part
}

/// Drops weights that are not read, not returned and not written back.
pub(super) fn drop_unused_inputs(function: &mut Function) {
    let read = reads(&function.graph);
    let copied_into: HashSet<usize> =
        function.outputs.iter().filter_map(|output| function.mutated_input(output)).collect();
    let bound = function.graph.inputs.iter().zip(&function.inputs).enumerate();
    let kept: Vec<bool> = bound
        .map(|(index, (value, binding))| {
            binding.weight().is_none() || read.contains(value) || copied_into.contains(&index)
        })
        .collect();
    retain(&mut function.graph.inputs, &kept);
    retain(&mut function.inputs, &kept);
}

fn retain<T>(items: &mut Vec<T>, kept: &[bool]) {
    let mut kept = kept.iter();
    items.retain(|_| kept.next().copied().unwrap_or(true));
}
