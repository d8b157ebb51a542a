//! Tensors as rows, along their first dimension.

use super::{Failure, Scope, Tensor, ffi};

impl Tensor {
    /// Every `step`-th row from `start`, without the last `skipped`; shares this tensor's memory.
    pub fn rows(&self, start: i64, skipped: i64, step: i64, _scope: &Scope) -> Result<Tensor, Failure> {
        // SAFETY: the tensor is valid; one without rows is an error.
        Tensor::made(|out| unsafe { ffi::shim_rows_slice(self.as_ptr(), start, skipped, step, out) })
    }

    /// The first row alone; shares this tensor's memory.
    pub fn first_row(&self, _scope: &Scope) -> Result<Tensor, Failure> {
        // SAFETY: the tensor is valid; one without rows is an error.
        Tensor::made(|out| unsafe { ffi::shim_rows_first(self.as_ptr(), out) })
    }

    /// These rows, then those of another tensor.
    pub fn followed_by(&self, other: &Tensor, _scope: &Scope) -> Result<Tensor, Failure> {
        // SAFETY: both tensors are valid; rows that do not fit are an error.
        Tensor::made(|out| unsafe { ffi::shim_rows_join(self.as_ptr(), other.as_ptr(), out) })
    }

    /// These rows and those of another tensor by turns, which has as many or one fewer.
    pub fn interleaved(&self, other: &Tensor, _scope: &Scope) -> Result<Tensor, Failure> {
        // SAFETY: both tensors are valid; rows that do not fit are an error.
        Tensor::made(|out| unsafe { ffi::shim_rows_interleave(self.as_ptr(), other.as_ptr(), out) })
    }
}
