//! Reads stored bytes as tensors.
//!
//! Owns: the rules by which a tensor's description must fit its bytes ([`extent`]), and the readers
//! of the two stored forms ([`raw_tensors`], [`pickle`]).
//!
//! Input: an archive.
//!
//! Output: tensors by name. Nothing stored in an archive is executed. A tensor that does not fit
//! its bytes is an error and is never skipped.

pub mod extent;
pub mod pickle;
pub mod raw_tensors;

use crate::archive::{Archive, Payload};
use crate::program::schema::{Layout, TensorMeta};
use crate::{Error, Result};
use pickle::SavedTensor;
use std::collections::HashMap;

/// Reads every stored tensor of a model: parameters, buffers and constants. Names are unique.
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

/// Rejects sparse and oneDNN tensors, which consist of more than one strided storage. PyTorch 2.11
/// saves none.
pub fn require_strided(meta: &TensorMeta) -> Result<(), String> {
    match meta.layout {
        Layout::Strided => Ok(()),
        other => Err(format!("its layout is {other:?}; only strided weights can be loaded")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::schema::{Device, ScalarType, SymInt};

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
        assert_eq!(require_strided(&meta(Layout::Strided)), Ok(()));
        for layout in [Layout::SparseCoo, Layout::SparseCsr, Layout::Mkldnn] {
            assert!(require_strided(&meta(layout)).unwrap_err().contains(&format!("{layout:?}")));
        }
    }
}
