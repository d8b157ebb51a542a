//! What runs once, at load, apart from what runs in every call.

use super::aliases::Aliases;
use super::constants::Constants;
use crate::graph::{Function, Graph, InputBinding, Node, OutputBinding, ValueId};
use std::collections::HashSet;

/// A function in two parts.
#[derive(Debug)]
pub struct Parts {
    /// Takes weights and returns constants; runs once. None if there is nothing to compute.
    pub once: Option<Function>,
    /// Takes those constants as weights of the names in `constants`; runs in every call. Weights that nobody
    /// reads are no inputs of it.
    pub call: Function,
    /// A name for each output of `once`, which no weight has.
    pub constants: Vec<String>,
}

/// Splits a function after the passes.
pub fn split(mut function: Function) -> Parts {
    let aliases = Aliases::of_function(&function);
    let constants = Constants::of(&function, &aliases);
    let nodes = std::mem::take(&mut function.graph.nodes);
    let runs_once =
        |node: &Node| node.defined().next().is_some() && node.defined().all(|id| constants.contains(id));
    let (once, call): (Vec<Node>, Vec<Node>) = nodes.into_iter().partition(runs_once);
    function.graph.nodes = call;
    let handed_over = handed_over(&once, &function.graph);
    let names = names(&function, &handed_over);
    let first = (!handed_over.is_empty()).then(|| first_part(&function, once, &handed_over));
    for (value, name) in handed_over.iter().zip(&names) {
        function.graph.inputs.push(*value);
        function.inputs.push(InputBinding::TensorConstant(name.clone()));
    }
    forget_unread(&mut function);
    function.graph.renumber();
    Parts { once: first, call: function, constants: names }
}

/// The values that one part defines and the other reads.
fn handed_over(once: &[Node], call: &Graph) -> Vec<ValueId> {
    let read = reads(call);
    once.iter().flat_map(|node| node.defined()).filter(|value| read.contains(value)).collect()
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

fn first_part(function: &Function, nodes: Vec<Node>, outputs: &[ValueId]) -> Function {
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
    forget_unread(&mut part);
    part.graph.renumber();
    part
}

/// Weights that no node reads, nobody gets and nothing is copied back into.
pub(super) fn forget_unread(function: &mut Function) {
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
