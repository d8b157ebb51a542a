//! How many tensors a program brings, and how large they are.

use super::{bytes, counted};
use crate::failure::Failure;
use pt2::graph::{Function, InputBinding};
use pt2::weights::pickle::SavedTensor;
use std::collections::BTreeMap;
use std::io::Write;

/// Shows the stored tensors. Tensors that share a storage count its bytes once.
pub fn show(stored: &[SavedTensor], function: &Function, out: &mut impl Write) -> Result<(), Failure> {
    let storages: BTreeMap<u64, u64> =
        stored.iter().map(|tensor| (tensor.storage.offset(), tensor.storage.len() as u64)).collect();
    let size = storages.values().sum();
    writeln!(out, "weights    {}, {}{}", counted(stored.len(), "tensor"), bytes(size), kinds(function))?;
    Ok(())
}

fn kinds(function: &Function) -> String {
    let count = |noun, is: fn(&InputBinding) -> bool| {
        let count = function.inputs.iter().filter(|input| is(input)).count();
        (count > 0).then(|| counted(count, noun))
    };
    let kinds = [
        count("parameter", |input| matches!(input, InputBinding::Parameter(_))),
        count("buffer", |input| matches!(input, InputBinding::Buffer { .. })),
        count("constant", |input| matches!(input, InputBinding::TensorConstant(_))),
    ];
    let kinds: Vec<_> = kinds.into_iter().flatten().collect();
    if kinds.is_empty() { String::new() } else { format!(": {}", kinds.join(", ")) }
}
