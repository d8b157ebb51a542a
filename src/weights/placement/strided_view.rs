//! Strided view: where a tensor is in a storage.

use super::BYTE;
use crate::torch::{Failure, Tensor, dtype_to_torch};
use crate::weights::extent::bytes_if_dense;
use crate::weights::pickle::SavedTensor;

/// A tensor of an archive as a view into one of its storages.
#[derive(Debug, PartialEq)]
pub(super) struct StridedView {
    /// The number of the storage.
    pub storage: usize,
    /// The first element's place in the storage, in bytes.
    pub offset: i64,
    pub sizes: Vec<i64>,
    pub strides: Vec<i64>,
    /// libtorch's number.
    pub dtype: i32,
    /// Whether it is a parameter that the exporter trained.
    pub trained: bool,
    /// How many bytes it takes if it is dense, in whatever order of its dimensions; None if it is not.
    pub dense: Option<usize>,
}

impl StridedView {
    pub fn of(tensor: &SavedTensor, storage: usize) -> StridedView {
        StridedView {
            storage,
            // A tensor without elements may claim a place behind the end, and gets the start.
            offset: match tensor.sizes.contains(&0) {
                true => 0,
                false => tensor.offset * tensor.dtype.size_in_bytes() as i64,
            },
            sizes: tensor.sizes.clone(),
            strides: tensor.strides.clone(),
            dtype: dtype_to_torch(tensor.dtype),
            trained: tensor.requires_grad,
            dense: bytes_if_dense(tensor.dtype, &tensor.sizes, &tensor.strides),
        }
    }

    /// The tensor in its storage, as the program reads it.
    pub fn tensor(&self, storage: &Tensor) -> Result<Tensor, Failure> {
        storage.part(self.offset, &self.sizes, &self.strides, self.dtype, self.trained)
    }

    /// The same for whoever is not the program: it may be written to and given out.
    pub fn plain(&self, storage: &Tensor) -> Result<Tensor, Failure> {
        storage.part(self.offset, &self.sizes, &self.strides, self.dtype, false)
    }

    /// Whether both are one tensor under two names.
    pub fn is_same(&self, other: &StridedView) -> bool {
        let place = |view: &StridedView| (view.storage, view.offset, view.dtype);
        place(self) == place(other) && self.sizes == other.sizes && self.strides == other.strides
    }

    /// Whether it has more elements than it reaches in its storage. Its description fits the storage.
    pub fn is_expanded(&self) -> bool {
        let steps = self.sizes.iter().zip(&self.strides);
        let last = steps
            .map(|(size, stride)| (size - 1).max(0).saturating_mul(*stride))
            .fold(0, i64::saturating_add);
        self.sizes.iter().fold(1, |count: i64, size| count.saturating_mul(*size)) > last.saturating_add(1)
    }

    /// Whether it is all of a storage of so many bytes.
    pub fn fills(&self, bytes: usize) -> bool {
        self.offset == 0 && self.dense == Some(bytes)
    }

    /// Whether a tensor of the same dtype and sizes has its elements in the same order. Where a dimension has one
    /// element its stride says nothing.
    pub fn is_laid_out_as(&self, strides: &[i64]) -> bool {
        let pairs = self.sizes.iter().zip(self.strides.iter().zip(strides));
        self.sizes.contains(&0)
            || pairs.filter(|(size, _)| **size > 1).all(|(_, (ours, theirs))| ours == theirs)
    }
}

/// The memory of a dense tensor as a storage.
pub(super) fn as_storage(tensor: &Tensor, bytes: usize) -> Result<Tensor, Failure> {
    tensor.part(0, &[bytes as i64], &[1], BYTE, false)
}
