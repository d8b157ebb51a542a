//! Strided view: the part of a storage that a tensor covers.

use super::BYTE;
use crate::torch::{Failure, Tensor, dtype_to_torch};
use crate::weights::extent::bytes_if_dense;
use crate::weights::pickle::SavedTensor;

/// Tensor of an archive as a view of one of its storages.
#[derive(Debug, PartialEq)]
pub(super) struct StridedView {
    /// Number of the storage.
    pub storage: usize,
    /// Offset of the first element in the storage, in bytes.
    pub offset: i64,
    pub sizes: Vec<i64>,
    pub strides: Vec<i64>,
    /// libtorch's number.
    pub dtype: i32,
    /// True for a parameter that requires gradients.
    pub trained: bool,
    /// Size in bytes if the tensor is dense, in any order of its dimensions; None if it is not.
    pub dense: Option<usize>,
}

impl StridedView {
    pub fn of(tensor: &SavedTensor, storage: usize) -> StridedView {
        StridedView {
            storage,
            // An empty tensor may have an offset behind the end; zero is equivalent.
            offset: if tensor.sizes.contains(&0) {
                0
            } else {
                tensor.offset * tensor.dtype.size_in_bytes() as i64
            },
            sizes: tensor.sizes.clone(),
            strides: tensor.strides.clone(),
            dtype: dtype_to_torch(tensor.dtype),
            trained: tensor.requires_grad,
            dense: bytes_if_dense(tensor.dtype, &tensor.sizes, &tensor.strides),
        }
    }

    /// Returns the tensor in its storage, as the program reads it.
    pub fn tensor(&self, storage: &Tensor) -> Result<Tensor, Failure> {
        storage.part(self.offset, &self.sizes, &self.strides, self.dtype, self.trained)
    }

    /// Returns the tensor without gradients, to write to it or to return it to the caller.
    pub fn plain(&self, storage: &Tensor) -> Result<Tensor, Failure> {
        storage.part(self.offset, &self.sizes, &self.strides, self.dtype, false)
    }

    /// Returns true if both are one tensor under two names.
    pub fn is_same(&self, other: &StridedView) -> bool {
        let place = |view: &StridedView| (view.storage, view.offset, view.dtype);
        place(self) == place(other) && self.sizes == other.sizes && self.strides == other.strides
    }

    /// Returns true if the tensor has more elements than it covers in its storage. The view must
    /// fit the storage.
    pub fn is_expanded(&self) -> bool {
        let steps = self.sizes.iter().zip(&self.strides);
        let last = steps
            .map(|(size, stride)| (size - 1).max(0).saturating_mul(*stride))
            .fold(0, i64::saturating_add);
        self.sizes.iter().fold(1, |count: i64, size| count.saturating_mul(*size)) > last.saturating_add(1)
    }

    /// Returns true if the tensor covers all of a storage of this size.
    pub fn fills(&self, bytes: usize) -> bool {
        self.offset == 0 && self.dense == Some(bytes)
    }

    /// Returns true if a tensor of the same dtype and sizes has the same order of elements.
    ///
    /// The stride of a dimension of size 1 is irrelevant.
    pub fn is_laid_out_as(&self, strides: &[i64]) -> bool {
        let pairs = self.sizes.iter().zip(self.strides.iter().zip(strides));
        self.sizes.contains(&0)
            || pairs.filter(|(size, _)| **size > 1).all(|(_, (ours, theirs))| ours == theirs)
    }
}

/// Returns the memory of a dense tensor as a storage.
pub(super) fn as_storage(tensor: &Tensor, bytes: usize) -> Result<Tensor, Failure> {
    tensor.part(0, &[bytes as i64], &[1], BYTE, false)
}
