//! Stored bytes as tensors.
//!
//! Owns: the rules by which a tensor's description must fit its bytes ([`extent`]), the readers of the two forms
//! in which archives store tensors ([`raw`], [`pickle`]), and their way to a device (`place`). Enters: an archive.
//! Leaves: tensors by name. Nothing stored in an archive is executed, and no tensor that does not fit is skipped.

pub mod extent;
mod parameter;
pub mod pickle;
#[cfg(feature = "torch")]
pub mod placement;
pub mod raw_tensors;

pub use parameter::{Parameter, ParameterKind, not_a_clone, require_distinct, require_known};

use crate::archive::{Archive, Payload};
use crate::graph::{Function, ValueKind};
use crate::program::schema::{Device, Layout, SymInt, TensorMeta};
use crate::{Error, Result};
use pickle::SavedTensor;
use std::collections::HashMap;

/// Every stored tensor of a model: parameters, buffers and constants. A name stands for one tensor.
pub fn read(archive: &Archive, model: &str) -> Result<Vec<SavedTensor>> {
    let mut tensors = list(archive, &archive.weights(model)?)?;
    let constants = list(archive, &archive.constants(model)?)?;
    let known: HashMap<&str, ()> = tensors.iter().map(|tensor| (tensor.name.as_str(), ())).collect();
    if let Some(twice) = constants.iter().find(|tensor| known.contains_key(tensor.name.as_str())) {
        let reason = "it is stored both with the weights and with the constants".into();
        return Err(Error::Weight { name: twice.name.clone(), reason });
    }
    tensors.extend(constants);
    Ok(tensors)
}

fn list(archive: &Archive, stored: &Payload) -> Result<Vec<SavedTensor>> {
    match stored {
        Payload::Absent => Ok(Vec::new()),
        Payload::Legacy(file) => pickle::read_tensors(&file.nested(archive.verifies())?),
        Payload::Raw { config, folder } => raw_tensors::read_listed(archive, config, folder),
    }
}

/// Compares what is stored with what the program says of it.
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

/// Describes the weights in the graph as they are stored: sizes, strides and dtypes, whatever the program says of them,
/// and which lie in one storage, where a write to one is seen in the others.
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

/// What the program says of a tensor, with what is stored in its place where both say something.
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

/// Sparse tensors and those of a library's own order are more than one storage; PyTorch 2.11 saves none.
fn strided(meta: &TensorMeta) -> Result<(), String> {
    match meta.layout {
        Layout::Strided => Ok(()),
        other => Err(format!("its layout is {other:?}; only strided weights can be loaded")),
    }
}

fn agree(tensor: &SavedTensor, meta: &TensorMeta) -> Result<(), String> {
    strided(meta)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::schema::ScalarType;

    #[test]
    fn layouts_other_than_strided_are_refused_by_name() {
        let meta = |layout| TensorMeta {
            dtype: ScalarType::Float,
            sizes: Vec::new(),
            requires_grad: false,
            device: Device { r#type: "cpu".into(), index: None },
            strides: Vec::new(),
            storage_offset: SymInt::Int(0),
            layout,
        };
        assert_eq!(strided(&meta(Layout::Strided)), Ok(()));
        for layout in [Layout::SparseCoo, Layout::SparseCsr, Layout::Mkldnn] {
            assert!(strided(&meta(layout)).unwrap_err().contains(&format!("{layout:?}")));
        }
    }
}
