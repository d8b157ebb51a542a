//! Finds the memory that outlives a call and that the program writes to.
//!
//! Training IR does not record such writes: in-place operators act on parameters, buffers, inputs
//! or views of them. A schema's alias annotations declare which argument is written and which
//! return may alias it. The few operators that do either without an annotation are listed with the
//! operator effects of the passes.

use super::Effects;
use super::control::{self, ControlOp};
use super::operand::slot;
use super::resolve::{Body, Callee, resolve};
use crate::Result;
use crate::graph::{Function, Graph, InputBinding, Node, Operand};
use crate::passes::{returns_unannotated, writes_unannotated};
use crate::torch::Operator;
use std::collections::{BTreeMap, BTreeSet};

/// Inputs of the graph, by position, that a slot may alias.
type Origins = BTreeMap<u32, BTreeSet<usize>>;

/// Returns the memory that a function writes to besides its outputs. Fails if this process lacks an
/// operator.
pub fn effects(function: &Function) -> Result<Effects> {
    Ok(effects_of(function, &resolve(function)?))
}

/// Returns the effects of a function with resolved callees.
pub fn effects_of(function: &Function, callees: &[Callee]) -> Effects {
    EffectTracker::track(function, callees).finish(function)
}

/// Effects of a graph on its inputs, by input position.
struct GraphEffects {
    written: BTreeSet<usize>,
    /// Inputs that each output may alias.
    outputs: Vec<BTreeSet<usize>>,
}

/// Collects the writes of a program, node by node.
struct EffectTracker {
    origins: Origins,
    written: BTreeSet<usize>,
}

impl EffectTracker {
    /// Records the effects of all nodes, with those of the graphs that they run.
    fn track(function: &Function, callees: &[Callee]) -> EffectTracker {
        let mut tracker = EffectTracker::new(function);
        for (node, callee) in function.graph.nodes.iter().zip(callees) {
            match callee {
                Callee::Operator(operator) => tracker.follow(node, operator),
                Callee::Python(_) => {}
                Callee::Control(form, bodies) => {
                    let reach = |body: &Body| {
                        EffectTracker::track(&body.function, &body.callees).reach(&body.function.graph)
                    };
                    let reaches: Vec<GraphEffects> = bodies.iter().map(reach).collect();
                    tracker.follow_graphs(node, *form, &reaches);
                }
            }
        }
        tracker
    }

    /// Creates a tracker in which every input aliases only itself.
    fn new(function: &Function) -> EffectTracker {
        let origins = function.graph.inputs.iter().enumerate();
        EffectTracker {
            origins: origins.map(|(index, value)| (slot(*value), BTreeSet::from([index]))).collect(),
            written: BTreeSet::new(),
        }
    }

    /// Records the effects of one call.
    fn follow(&mut self, node: &Node, operator: &Operator) {
        let mut shared = BTreeSet::new();
        let names: Vec<&str> = operator.arguments().collect();
        for (position, argument) in node.inputs.iter().enumerate() {
            let index = names.iter().position(|name| *name == argument.name).unwrap_or(position);
            let origins = self.origins_of(&argument.value);
            if operator.writes(index) || writes_unannotated(node, &argument.name) {
                self.written.extend(&origins);
            }
            if operator.returns_alias_of(index) || returns_unannotated(&node.target) {
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
    fn follow_graphs(&mut self, node: &Node, form: ControlOp, reaches: &[GraphEffects]) {
        let operands: Vec<_> =
            control::operands(form, node).into_iter().map(|operand| self.origins_of(operand)).collect();
        let all = || operands.iter().flatten().copied();
        let given = |positions: &BTreeSet<usize>| -> BTreeSet<usize> {
            if form.repeats() && !positions.is_empty() {
                all().collect()
            } else {
                positions.iter().filter_map(|at| operands.get(*at)).flatten().copied().collect()
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
    fn reach(&self, graph: &Graph) -> GraphEffects {
        let outputs = graph.outputs.iter().map(|output| self.origins_of(output)).collect();
        GraphEffects { written: self.written.clone(), outputs }
    }

    /// Returns the effects of the program. Every node must have been recorded; copies back are
    /// added here.
    fn finish(mut self, function: &Function) -> Effects {
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
