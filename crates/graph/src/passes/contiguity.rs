//! Contiguity of tensors, by the sizes and strides that the exporter recorded.

use crate::program::schema::{SymInt, TensorMeta};
use std::slice::from_ref;

/// Returns true if a tensor was channels-last at export.
pub fn is_channels_last(meta: &TensorMeta) -> bool {
    let turn = |numbers: &[SymInt]| match numbers {
        [batch, channels, pixels @ ..] => [from_ref(batch), pixels, from_ref(channels)].concat(),
        few => few.to_vec(),
    };
    let (sizes, strides) = (turn(&meta.sizes), turn(&meta.strides));
    meta.sizes.len() > 3 && is_contiguous(&TensorMeta { sizes, strides, ..meta.clone() })
}

/// Returns true if a tensor was contiguous at export.
pub fn is_contiguous(meta: &TensorMeta) -> bool {
    let mut dense = 1i64;
    let mut row_major = meta.sizes.len() == meta.strides.len();
    for (size, stride) in meta.sizes.iter().zip(&meta.strides).rev() {
        let size = size.at_export().unwrap_or(1);
        row_major &= size == 1 || stride.at_export().unwrap_or(1) == dense;
        dense = dense.saturating_mul(size);
    }
    row_major
}

/// Returns true if all strides were those of a contiguous tensor at export, even in dimensions of
/// size one. By those, kernels distinguish channels-last from contiguous.
pub fn has_contiguous_strides(meta: &TensorMeta) -> bool {
    let mut dense = 1i64;
    meta.sizes.iter().zip(&meta.strides).rev().all(|(size, stride)| {
        let fits = stride.at_export().is_none_or(|stride| stride == dense);
        dense = dense.saturating_mul(size.at_export().unwrap_or(1).max(1));
        fits
    })
}
