//! Decides if the kernels of a run can be captured in a CUDA graph.

use super::Effects;
use super::resolve::Callee;
use crate::graph::{Function, Node, Operand, Target, ValueKind};
use crate::passes::pt2_ops::{ADDMM_RELU, CONTIGUOUS, CUDNN, SPACE_TO_DEPTH};
use crate::program::schema::ScalarType;
use crate::torch::{Operator, Tag};

/// Returns the reason why a program cannot be captured. None if equal input sizes always produce
/// the same kernels.
pub fn unsupported_reason(function: &Function, callees: &[Callee], effects: &Effects) -> Option<String> {
    if !effects.state.is_empty() || !effects.inputs.is_empty() {
        return Some("it writes to its state or its inputs".into());
    }
    function.graph.nodes.iter().zip(callees).find_map(|(node, callee)| {
        let reason = match callee {
            Callee::Operator(operator) => of_operator(function, node, operator)?,
            Callee::Python(_) => return None,
            Callee::Control(..) => "runs graphs",
        };
        Some(format!("node `{}` ({}) {reason}", node.name, node.target))
    })
}

/// Returns the first node that draws random numbers, here or in a graph that a node runs.
pub fn random(function: &Function, callees: &[Callee]) -> Option<String> {
    function.graph.nodes.iter().zip(callees).find_map(|(node, callee)| match callee {
        Callee::Operator(operator) if operator.has_tag(Tag::Random) && draws(node) => {
            Some(format!("node `{}` ({})", node.name, node.target))
        }
        Callee::Control(_, bodies) => bodies.iter().find_map(|body| random(&body.function, &body.callees)),
        Callee::Operator(_) | Callee::Python(_) => None,
    })
}

fn of_operator(function: &Function, node: &Node, operator: &Operator) -> Option<&'static str> {
    let ours = [CONTIGUOUS, CUDNN, ADDMM_RELU, SPACE_TO_DEPTH].iter().any(|name| node.is("pt2", name));
    if !ours && !matches!(&node.target, Target::Operator { namespace, .. } if namespace == "aten") {
        return Some("is not libtorch's own");
    }
    if operator.has_tag(Tag::Random) && draws(node) {
        return Some("draws random numbers");
    }
    if operator.has_tag(Tag::DataDependentOutput) {
        return Some("reads what a tensor holds");
    }
    if operator.has_tag(Tag::DynamicOutputShape) && !indexes_by_number(function, node) {
        return Some("gives sizes that depend on what a tensor holds");
    }
    operator.has_tag(Tag::CudaGraphUnsafe).then_some("cannot be captured, says libtorch")
}

/// Returns true if a call of a random operator may draw random numbers.
///
/// Dropout outside of training and attention without dropout draw none.
fn draws(node: &Node) -> bool {
    let given =
        |name: &str| node.inputs.iter().find(|argument| argument.name == name).map(|found| &found.value);
    let attention =
        matches!(&node.target, Target::Operator { name, .. } if name.contains("scaled_dot_product"));
    match (given("train").or_else(|| given("training")), given("dropout_p")) {
        (Some(Operand::Bool(train)), _) => *train,
        (_, Some(Operand::Float(probability))) => *probability != 0.0,
        (_, Some(Operand::Int(probability))) => *probability != 0,
        (None, None) => !attention,
        _ => true,
    }
}

/// Returns true if the node indexes by numbers: a mask instead makes the output size depend on its
/// data.
fn indexes_by_number(function: &Function, node: &Node) -> bool {
    let index =
        matches!(&node.target, Target::Operator { name, .. } if name == "index" || name == "_unsafe_index");
    let mut numbers = true;
    for argument in node.inputs.iter().filter(|argument| argument.name == "indices") {
        argument.value.for_each_value(&mut |id| {
            let kind = function.graph.value(id).map(|value| &value.kind);
            let Some(ValueKind::Tensor(Some(meta))) = kind else { return numbers = false };
            numbers &= !matches!(meta.dtype, ScalarType::Bool | ScalarType::Byte);
        });
    }
    index && numbers
}
