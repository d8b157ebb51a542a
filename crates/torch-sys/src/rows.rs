//! Operations on the rows of tensors, inside a scope.

use crate::{AtTensor, ShimError};

unsafe extern "C" {
    /// Returns every `step`-th row from `start`, without the last `skipped` rows.
    pub fn shim_rows_slice(
        tensor: *const AtTensor,
        start: i64,
        skipped: i64,
        step: i64,
        out: *mut *mut AtTensor,
    ) -> *mut ShimError;

    /// Returns the first row.
    pub fn shim_rows_first(tensor: *const AtTensor, out: *mut *mut AtTensor) -> *mut ShimError;

    /// Concatenates rows.
    pub fn shim_rows_join(
        first: *const AtTensor,
        second: *const AtTensor,
        out: *mut *mut AtTensor,
    ) -> *mut ShimError;

    /// Interleaves rows; `first` may have one more.
    pub fn shim_rows_interleave(
        first: *const AtTensor,
        second: *const AtTensor,
        out: *mut *mut AtTensor,
    ) -> *mut ShimError;
}
