//! Operators that write to an argument, or return one, without an alias annotation in their schema
//! (`aten/src/ATen/native/native_functions.yaml`, 2.11).

use crate::graph::{Node, Operand, Target};

/// Operators that update their running statistics in training.
pub const NORMS: [&str; 6] = [
    "batch_norm",
    "native_batch_norm",
    "cudnn_batch_norm",
    "miopen_batch_norm",
    "_batch_norm_impl_index",
    "instance_norm",
];

/// Operators that may return their input although their schema declares a new tensor.
pub const RETURNERS: [&str; 6] =
    ["dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout", "lift_fresh", "pad"];

/// Returns true if the call writes to this argument without an alias annotation.
pub fn writes_unannotated(node: &Node, argument: &str) -> bool {
    let statistics = matches!(argument, "running_mean" | "running_var");
    statistics && is_in(&NORMS, &node.target) && trains(node)
}

/// Returns true if a result may be an argument without an alias annotation.
pub fn returns_unannotated(target: &Target) -> bool {
    is_in(&RETURNERS, target)
}

/// Returns true unless the call of a norm is known to be for inference.
pub fn trains(node: &Node) -> bool {
    let flag = node.argument("training").or_else(|| node.argument("use_input_stats"));
    !matches!(flag, Some(Operand::Bool(false)))
}

fn is_in(names: &[&str], target: &Target) -> bool {
    matches!(target, Target::Operator { namespace, name, .. }
        if namespace == "aten" && names.contains(&name.as_str()))
}
