//! Number and size of the tensors that a program stores.

use super::{bytes, counted};
use crate::failure::Failure;
use pt2::graph::{Function, InputBinding};
use pt2::weights::pickle::SavedTensor;
use std::collections::BTreeMap;
use std::io::Write;

/// Shows number and element types of the stored tensors, and those that share a storage. Shared
/// bytes count once.
pub fn show(stored: &[SavedTensor], function: &Function, out: &mut impl Write) -> Result<(), Failure> {
    let storages: BTreeMap<u64, u64> =
        stored.iter().map(|tensor| (tensor.storage.offset(), tensor.storage.len() as u64)).collect();
    let size = storages.values().sum();
    writeln!(out, "weights    {}, {}{}", counted(stored.len(), "tensor"), bytes(size), kinds(function))?;
    for (dtype, count) in element_types(stored) {
        writeln!(out, "           {count}  {dtype}")?;
    }
    for together in shared(stored) {
        writeln!(out, "           one storage: {}", together.join(", "))?;
    }
    Ok(())
}

fn element_types(stored: &[SavedTensor]) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for tensor in stored {
        *counts.entry(tensor.dtype.name()).or_default() += 1;
    }
    counts
}

/// Returns the names of tensors that share a storage, a list for each storage.
fn shared(stored: &[SavedTensor]) -> Vec<Vec<&str>> {
    let mut of_storage: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
    for tensor in stored.iter().filter(|tensor| !tensor.storage.is_empty()) {
        of_storage.entry(tensor.storage.offset()).or_default().push(&tensor.name);
    }
    of_storage.into_values().filter(|names| names.len() > 1).collect()
}

fn kinds(function: &Function) -> String {
    let count = |noun, is: fn(&InputBinding) -> bool| {
        let count = function.inputs.iter().filter(|input| is(input)).count();
        (count > 0).then(|| counted(count, noun))
    };
    let kinds = [
        count("parameter", |input| matches!(input, InputBinding::Parameter(_))),
        count("buffer", |input| matches!(input, InputBinding::Buffer { persistent: true, .. })),
        count("non-persistent buffer", |input| {
            matches!(input, InputBinding::Buffer { persistent: false, .. })
        }),
        count("constant", |input| matches!(input, InputBinding::TensorConstant(_))),
    ];
    let kinds: Vec<_> = kinds.into_iter().flatten().collect();
    if kinds.is_empty() { String::new() } else { format!(": {}", kinds.join(", ")) }
}
