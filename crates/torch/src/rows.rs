//! Rows of tensors, along their first dimension.

use super::{Failure, Scope, Tensor, ffi};

impl Tensor {
    /// Returns every `step`-th row from `start`, without the last `skipped`. Shares this tensor's
    /// memory.
    pub fn rows(&self, start: i64, skipped: i64, step: i64, _scope: &Scope) -> Result<Tensor, Failure> {
        // SAFETY: the tensor is valid, and the shim rejects one without rows.
        Tensor::made(|out| unsafe { ffi::shim_rows_slice(self.as_ptr(), start, skipped, step, out) })
    }

    /// Returns the first row as a tensor of one row. Shares this tensor's memory.
    pub fn first_row(&self, _scope: &Scope) -> Result<Tensor, Failure> {
        // SAFETY: the tensor is valid, and the shim rejects one without rows.
        Tensor::made(|out| unsafe { ffi::shim_rows_first(self.as_ptr(), out) })
    }

    /// Returns these rows followed by those of another tensor.
    pub fn followed_by(&self, other: &Tensor, _scope: &Scope) -> Result<Tensor, Failure> {
        // SAFETY: both tensors are valid, and the shim rejects rows that do not fit.
        Tensor::made(|out| unsafe { ffi::shim_rows_join(self.as_ptr(), other.as_ptr(), out) })
    }

    /// Interleaves these rows with those of another tensor, which has as many or one fewer.
    pub fn interleaved(&self, other: &Tensor, _scope: &Scope) -> Result<Tensor, Failure> {
        // SAFETY: both tensors are valid, and the shim rejects rows that do not fit.
        Tensor::made(|out| unsafe { ffi::shim_rows_interleave(self.as_ptr(), other.as_ptr(), out) })
    }
}
