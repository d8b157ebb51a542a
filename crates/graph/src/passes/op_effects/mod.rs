//! Operator effects: reads, writes and aliases of a call, without calls of libtorch.
//!
//! Operators that are not listed may do more than their schema states: composite ones return their
//! argument if there is nothing to do (`type_as`, `pad`). So a table lists only operators whose
//! kernels were checked (`aten/src/ATen/native/native_functions.yaml` and the kernels it names,
//! 2.11).

mod effect;
mod table;
mod unannotated;

use super::pt2_ops::{CONTIGUOUS, ONEDNN_IN_PLACE, POINTWISE, RESTRIDE};
use super::sorted_names::is_listed;
use crate::graph::{Node, Operand, Target};
pub use effect::OpEffect;
pub use table::PORTABLE;
use table::{ONEDNN, OURS, is_writer, name_effect};
pub use unannotated::{returns_unannotated, trains, writes_unannotated};

impl OpEffect {
    /// Returns the effect of a call.
    pub fn of(node: &Node) -> OpEffect {
        match &node.target {
            Target::Operator { namespace, name, overload } => match namespace.as_str() {
                "aten" => aten(node, name, overload),
                "mkldnn" if ONEDNN.contains(&name.as_str()) => OpEffect::Fresh,
                "mkldnn" if name == "_convolution_pointwise_" => OpEffect::InPlace,
                "pt2" if name == ONEDNN_IN_PLACE => OpEffect::InPlace,
                "pt2" if name == CONTIGUOUS => OpEffect::View,
                "pt2" if OURS.contains(&name.as_str()) => OpEffect::Fresh,
                "pt2_portable" if is_listed(&PORTABLE, name) => OpEffect::Fresh,
                "pt2" if name == RESTRIDE => OpEffect::View,
                _ => OpEffect::Unknown,
            },
            Target::Python(_) => OpEffect::Fresh,
            Target::HigherOrder(name) if name == POINTWISE => OpEffect::Fresh,
            Target::HigherOrder(_) => higher_order(node),
        }
    }
}

fn aten(node: &Node, name: &str, overload: &str) -> OpEffect {
    if overload.as_bytes().windows(3).any(|part| part == b"out") {
        return OpEffect::Unknown;
    }
    match name_effect(name) {
        Some(OpEffect::Fresh) if drops(node) => OpEffect::Reads,
        Some(listed) => listed,
        None if name.starts_with("sym_") => OpEffect::Fresh,
        None => unlisted(node, name),
    }
}

fn unlisted(node: &Node, name: &str) -> OpEffect {
    match name {
        "batch_norm" if !trains(node) => OpEffect::Fresh,
        "dropout" | "dropout_" | "feature_dropout" | "feature_dropout_" if passes_through(node) => {
            OpEffect::View
        }
        _ if is_writer(name) || name.ends_with('_') => OpEffect::Unknown,
        _ => OpEffect::Reads,
    }
}

/// Returns true if attention applies dropout to its weights.
fn drops(node: &Node) -> bool {
    node.argument("dropout_p").is_some_and(|dropout| dropout.number() != Some(0.0))
}

/// Returns the effect of a node that runs graphs. It writes nothing if no node in the graphs
/// writes.
fn higher_order(node: &Node) -> OpEffect {
    let mut writes = false;
    for argument in &node.inputs {
        argument.value.for_each_graph(&mut |inner| {
            let writer = |node: &Node| matches!(OpEffect::of(node), OpEffect::InPlace | OpEffect::Unknown);
            writes |= inner.graph.nodes.iter().any(writer);
        });
    }
    if writes { OpEffect::Unknown } else { OpEffect::Reads }
}

/// Returns true if a dropout returns its input.
pub fn passes_through(node: &Node) -> bool {
    matches!(node.argument("train"), Some(Operand::Bool(false)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Passes and the plan agree on effects that a schema does not annotate.
    #[test]
    fn unannotated_effects_are_assumed() {
        let effect = |name: &str| {
            let text =
                format!("graph(%x: tensor) {{ %y: tensor = aten::{name}.default(input=%x) return (%y) }}");
            OpEffect::of(&crate::graph::parse(&text).unwrap().nodes[0])
        };
        for name in unannotated::NORMS {
            assert_eq!(effect(name), OpEffect::Unknown, "{name}");
        }
        for name in unannotated::RETURNERS {
            assert!(matches!(effect(name), OpEffect::View | OpEffect::Reads), "{name}");
        }
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
        use OpEffect::*;
        let found: Vec<OpEffect> =
            crate::graph::parse(text).unwrap().nodes.iter().map(OpEffect::of).collect();
        assert_eq!(
            found,
            [
                Fresh, InPlace, Unknown, View, Fresh, Unknown, View, Reads, Reads, Unknown, Unknown, Reads,
                Unknown
            ]
        );
    }
}
