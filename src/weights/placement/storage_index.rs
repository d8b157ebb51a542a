//! Index of the distinct storages of a list of tensors.

use crate::archive::Slice;
use crate::weights::pickle::SavedTensor;
use std::collections::HashMap;

/// Each storage once, in the order of first use.
pub struct StorageIndex {
    slices: Vec<Slice>,
    of_tensor: Vec<usize>,
}

impl StorageIndex {
    /// Groups tensors by storage: those whose slices have the same start and length share one.
    pub fn of(tensors: &[SavedTensor]) -> StorageIndex {
        let mut known = HashMap::new();
        let mut slices: Vec<Slice> = Vec::new();
        let of_tensor = tensors
            .iter()
            .map(|tensor| {
                let key = (tensor.storage.as_ptr(), tensor.storage.len());
                *known.entry(key).or_insert_with(|| {
                    slices.push(tensor.storage.clone());
                    slices.len() - 1
                })
            })
            .collect();
        StorageIndex { slices, of_tensor }
    }

    /// Returns the storages.
    pub fn into_slices(self) -> Vec<Slice> {
        self.slices
    }

    /// Returns each tensor with the number of its storage.
    pub fn number<'a>(
        &'a self,
        tensors: &'a [SavedTensor],
    ) -> impl Iterator<Item = (&'a SavedTensor, usize)> {
        tensors.iter().zip(self.of_tensor.iter().copied())
    }
}
