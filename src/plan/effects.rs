//! Finds the memory that outlives a call and that the program writes to.
//!
//! Training IR does not record such writes: in-place operators act on parameters, buffers, inputs
//! or views of them. A schema's alias annotations declare which argument is written and which
//! return may alias it. The few operators that do either without an annotation are listed here.

use super::Effects;
use super::control::{self, ControlOp};
use super::operand::slot;
use crate::graph::{Function, Graph, InputBinding, Node, Operand, Target};
use crate::torch::Operator;
use std::collections::{BTreeMap, BTreeSet};

/// Inputs of the graph, by position, that a slot may alias.
type Origins = BTreeMap<u32, BTreeSet<usize>>;

/// Effects of a graph on its inputs, by input position.
pub struct GraphEffects {
    written: BTreeSet<usize>,
    /// Inputs that each output may alias.
    outputs: Vec<BTreeSet<usize>>,
}

/// Collects the writes of a program, node by node.
pub struct EffectTracker {
    origins: Origins,
    written: BTreeSet<usize>,
}

impl EffectTracker {
    /// Creates a tracker in which every input aliases only itself.
    pub fn new(function: &Function) -> EffectTracker {
        let origins = function.graph.inputs.iter().enumerate();
        EffectTracker {
            origins: origins.map(|(index, value)| (slot(*value), BTreeSet::from([index]))).collect(),
            written: BTreeSet::new(),
        }
    }

    /// Records the effects of one call.
    pub fn follow(&mut self, node: &Node, operator: &Operator) {
        let mut shared = BTreeSet::new();
        let names: Vec<&str> = operator.arguments().collect();
        for (position, argument) in node.inputs.iter().enumerate() {
            let index = names.iter().position(|name| *name == argument.name).unwrap_or(position);
            let origins = self.origins_of(&argument.value);
            if operator.writes(index) || writes_silently(node, &argument.name) {
                self.written.extend(&origins);
            }
            if operator.returns_alias_of(index) || returns_input_silently(&node.target) {
                shared.extend(origins);
            }
        }
        for value in node.defined() {
            self.origins.insert(slot(value), shared.clone());
        }
    }

    /// Records the effects of a node that runs graphs with the effects `reaches`.
    ///
    /// A graph that runs more than once may get any of its results as any of its operands.
    pub fn follow_graphs(&mut self, node: &Node, form: ControlOp, reaches: &[GraphEffects]) {
        let operands: Vec<_> =
            control::operands(form, node).into_iter().map(|operand| self.origins_of(operand)).collect();
        let all = || operands.iter().flatten().copied();
        let given = |positions: &BTreeSet<usize>| -> BTreeSet<usize> {
            match form.repeats() && !positions.is_empty() {
                true => all().collect(),
                false => positions.iter().filter_map(|at| operands.get(*at)).flatten().copied().collect(),
            }
        };
        for reach in reaches {
            self.written.extend(given(&reach.written));
        }
        for (index, result) in control::results(node).into_iter().enumerate() {
            let shared =
                reaches.iter().filter_map(|reach| reach.outputs.get(index)).flat_map(given).collect();
            self.origins.extend(result.map(|slot| (slot, shared)));
        }
    }

    /// Returns the effects recorded so far, by input position.
    pub fn reach(&self, graph: &Graph) -> GraphEffects {
        let outputs = graph.outputs.iter().map(|output| self.origins_of(output)).collect();
        GraphEffects { written: self.written.clone(), outputs }
    }

    /// Returns the effects of the program. Every node must have been recorded; copies back are
    /// added here.
    pub fn finish(mut self, function: &Function) -> Effects {
        self.written.extend(function.outputs.iter().filter_map(|output| function.mutated_input(output)));
        let mut effects = Effects::default();
        let mut caller_position = 0;
        for (index, binding) in function.inputs.iter().enumerate() {
            let written = self.written.contains(&index);
            match binding {
                InputBinding::User | InputBinding::Constant(_) => {
                    effects.inputs.extend(written.then_some(caller_position));
                    caller_position += 1;
                }
                InputBinding::Parameter(name)
                | InputBinding::Buffer { name, .. }
                | InputBinding::TensorConstant(name)
                | InputBinding::Object(name) => effects.state.extend(written.then(|| name.clone())),
                InputBinding::Token => {}
            }
        }
        effects
    }

    fn origins_of(&self, operand: &Operand) -> BTreeSet<usize> {
        let mut all = BTreeSet::new();
        operand.for_each_value(&mut |value| {
            all.extend(self.origins.get(&slot(value)).into_iter().flatten());
        });
        all
    }
}

/// Returns true if the call writes to this argument without an alias annotation.
///
/// Batch and instance norm update their running statistics in training
/// (`aten/src/ATen/native/native_functions.yaml`, 2.11).
fn writes_silently(node: &Node, argument: &str) -> bool {
    const OPERATORS: [&str; 6] = [
        "batch_norm",
        "native_batch_norm",
        "cudnn_batch_norm",
        "miopen_batch_norm",
        "_batch_norm_impl_index",
        "instance_norm",
    ];
    let Target::Operator { namespace, name, .. } = &node.target else { return false };
    let statistics = matches!(argument, "running_mean" | "running_var");
    namespace == "aten" && statistics && OPERATORS.contains(&name.as_str()) && trains(node)
}

/// Returns true unless the call is known to be for inference.
fn trains(node: &Node) -> bool {
    let flag =
        |name: &str| node.inputs.iter().find(|argument| argument.name == name).map(|found| &found.value);
    let flag = flag("training").or_else(|| flag("use_input_stats"));
    !matches!(flag, Some(Operand::Bool(false)))
}

/// Returns true for operators that may return their input although their schema declares a new
/// tensor.
fn returns_input_silently(target: &Target) -> bool {
    const OPERATORS: [&str; 6] =
        ["dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout", "lift_fresh", "pad"];
    matches!(target, Target::Operator { namespace, name, .. }
        if namespace == "aten" && OPERATORS.contains(&name.as_str()))
}
