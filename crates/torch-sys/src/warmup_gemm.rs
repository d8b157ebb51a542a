//! Calls of libtorch's operators whose results do not matter: they load libraries and kernels.

use crate::{AtTensor, ShimError};

/// Operator of `aten`.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GemmKind {
    /// `linear`, whose right side has a row for each result.
    Linear,
    /// `addmm` with a vector.
    Addmm,
    /// `mm`.
    Mm,
    /// `_addmm_activation` with a vector.
    Rectified,
}

unsafe extern "C" {
    /// Multiplies tensors. A `transposed` right side is stored column by column. `bias` is NULL if the
    /// operator adds none.
    pub fn shim_warm_up_gemm(
        kind: GemmKind,
        left: *const AtTensor,
        right: *const AtTensor,
        transposed: bool,
        bias: *const AtTensor,
    ) -> *mut ShimError;

    /// Convolves an image with padding 1.
    pub fn shim_warm_up_convolution(input: *const AtTensor, weight: *const AtTensor) -> *mut ShimError;
}
