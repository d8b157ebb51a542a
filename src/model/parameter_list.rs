//! Lists the weights of a program, for callers that set them.

use crate::graph::{Function, InputBinding};
use crate::weights::pickle::SavedTensor;
use crate::weights::{Parameter, ParameterKind};
use std::collections::{HashMap, HashSet};

/// Returns the weights that a function takes, in its own order, as the archive stores them.
pub(super) fn parameters(function: &Function, stored: &[SavedTensor]) -> Vec<Parameter> {
    let stored: HashMap<&str, &SavedTensor> =
        stored.iter().map(|tensor| (tensor.name.as_str(), tensor)).collect();
    let mut seen = HashSet::new();
    let bound = function.inputs.iter().filter_map(|binding| Some((binding.weight()?, kind(binding)?)));
    let first = bound.filter(|(name, _)| seen.insert(*name));
    first.filter_map(|(name, kind)| stored.get(name).map(|tensor| parameter(tensor, kind))).collect()
}

fn parameter(tensor: &SavedTensor, kind: ParameterKind) -> Parameter {
    Parameter {
        name: tensor.name.clone(),
        kind,
        dtype: tensor.dtype,
        sizes: tensor.sizes.clone(),
        strides: tensor.strides.clone(),
    }
}

fn kind(binding: &InputBinding) -> Option<ParameterKind> {
    match binding {
        InputBinding::Parameter(_) => Some(ParameterKind::Parameter),
        InputBinding::Buffer { persistent: true, .. } => Some(ParameterKind::Buffer),
        InputBinding::Buffer { persistent: false, .. } => Some(ParameterKind::TemporaryBuffer),
        InputBinding::TensorConstant(_) => Some(ParameterKind::Constant),
        _ => None,
    }
}
