//! Operations on the rows of tensors, inside a scope.

use crate::ShimError;
use torch_sys::C_tensor;

unsafe extern "C" {
    /// Returns every `step`-th row from `start`, without the last `skipped` rows.
    pub fn shim_rows_slice(
        tensor: *const C_tensor,
        start: i64,
        skipped: i64,
        step: i64,
        out: *mut *mut C_tensor,
    ) -> *mut ShimError;

    /// Returns the first row.
    pub fn shim_rows_first(tensor: *const C_tensor, out: *mut *mut C_tensor) -> *mut ShimError;

    /// Concatenates rows.
    pub fn shim_rows_join(
        first: *const C_tensor,
        second: *const C_tensor,
        out: *mut *mut C_tensor,
    ) -> *mut ShimError;

    /// Interleaves rows; `first` may have one more.
    pub fn shim_rows_interleave(
        first: *const C_tensor,
        second: *const C_tensor,
        out: *mut *mut C_tensor,
    ) -> *mut ShimError;
}
