//! Compares the stored tensors with the program's description of them, and writes the stored
//! metadata into the graph.

use crate::graph::{Function, ValueKind};
use pt2_format::program::schema::{Device, Layout, SymInt, TensorMeta};
use pt2_format::weights::pickle::SavedTensor;
use pt2_format::weights::require_strided;
use pt2_format::{Error, Result};
use std::collections::HashMap;

/// Checks that every weight of the function is stored with the sizes and the dtype that the program
/// declares.
pub fn check(function: &Function, tensors: &[SavedTensor]) -> Result<()> {
    let stored: HashMap<&str, &SavedTensor> =
        tensors.iter().map(|tensor| (tensor.name.as_str(), tensor)).collect();
    for (binding, value) in function.inputs.iter().zip(&function.graph.inputs) {
        let Some(name) = binding.weight() else { continue };
        let refuse = |reason| Error::Weight { name: name.into(), reason };
        let tensor = *stored.get(name).ok_or_else(|| refuse("the archive does not hold it".into()))?;
        if let Some(ValueKind::Tensor(Some(meta))) = function.graph.value(*value).map(|value| &value.kind) {
            agree(tensor, meta).map_err(refuse)?;
        }
    }
    Ok(())
}

/// Replaces the metadata of weights by those of the stored tensors, and numbers the storages.
///
/// Weights of one storage share memory: a write to one changes the others.
pub fn describe(function: &mut Function, tensors: &[SavedTensor]) {
    let of_name: HashMap<&str, &SavedTensor> =
        tensors.iter().map(|tensor| (tensor.name.as_str(), tensor)).collect();
    let mut numbers = HashMap::new();
    for (binding, value) in function.inputs.iter().zip(&function.graph.inputs) {
        let Some(tensor) = binding.weight().and_then(|name| of_name.get(name)) else { continue };
        let next = numbers.len() as u32;
        let number = *numbers.entry((tensor.storage.as_ptr(), tensor.storage.len())).or_insert(next);
        let Some(value) = function.graph.values.get_mut(value.index()) else { continue };
        value.storage = Some(number);
        if let ValueKind::Tensor(meta) = &mut value.kind {
            *meta = Some(stored_meta(tensor, meta.take()));
        }
    }
}

/// Returns the metadata of a stored tensor. Device and `requires_grad` are the program's, where it
/// declares them.
fn stored_meta(tensor: &SavedTensor, said: Option<TensorMeta>) -> TensorMeta {
    let ints = |numbers: &[i64]| numbers.iter().copied().map(SymInt::Int).collect();
    let (device, requires_grad) = match said {
        Some(said) => (said.device, said.requires_grad),
        None => (Device { r#type: "cpu".into(), index: None }, tensor.requires_grad),
    };
    TensorMeta {
        dtype: tensor.dtype,
        sizes: ints(&tensor.sizes),
        requires_grad,
        device,
        strides: ints(&tensor.strides),
        storage_offset: SymInt::Int(tensor.offset),
        layout: Layout::Strided,
    }
}

fn agree(tensor: &SavedTensor, meta: &TensorMeta) -> Result<(), String> {
    require_strided(meta)?;
    let sizes = meta.sizes.iter().map(|size| if let SymInt::Int(size) = size { Some(*size) } else { None });
    let same_rank = meta.sizes.len() == tensor.sizes.len();
    if !same_rank || sizes.zip(&tensor.sizes).any(|(said, stored)| said.is_some_and(|said| said != *stored)) {
        return Err(format!("it is stored with sizes {:?}, the program says otherwise", tensor.sizes));
    }
    if tensor.dtype != meta.dtype {
        return Err(format!("it is stored as {}, the program says {}", tensor.dtype, meta.dtype));
    }
    Ok(())
}
