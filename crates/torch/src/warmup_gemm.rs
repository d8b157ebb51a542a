//! Warm-up of matrix products, on uninitialised memory.
//!
//! The first product of a process creates cuBLAS's handle, and the first of some sizes loads
//! kernels.

use super::failure::check;
use super::{Device, Failure, SideStream, Tensor, ffi, process};
use ffi::{GemmKind, count, is_floating};
use std::ptr;

/// Limit of dimensions, above those of exported programs.
const MOST_DIMENSIONS: usize = 8;

/// Product of a tensor with a matrix, without the tensors.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WarmupGemm {
    /// Operator of libtorch.
    pub kind: GemmKind,
    /// libtorch's number of the dtype of all tensors ([`dtype_to_torch`](super::dtype_to_torch)).
    pub dtype: i32,
    /// Sizes of the left side.
    pub left: Vec<i64>,
    /// Sizes of the right side.
    pub right: [i64; 2],
    /// True if the right side is column-major.
    pub columns_first: bool,
    /// True if a vector is added, for operators where it is optional.
    pub bias: bool,
}

impl WarmupGemm {
    /// Returns the number of elements of all tensors.
    pub fn elements(&self) -> i64 {
        let rows = count(self.left.split_last().map_or(&[], |(_, rows)| rows));
        let results = rows.saturating_mul(self.results());
        count(&self.left).saturating_add(count(&self.right)).saturating_add(results)
    }

    /// Returns true if the product is valid: an archive's sizes, ranks and dtypes may be arbitrary.
    pub fn is_possible(&self) -> bool {
        let [rows, columns] = self.right;
        let inner = if self.kind == GemmKind::Linear { columns } else { rows };
        let rank = if self.kind == GemmKind::Linear { 1..=MOST_DIMENSIONS } else { 2..=2 };
        let positive = self.left.iter().chain(&self.right).all(|size| *size > 0);
        positive
            && rank.contains(&self.left.len())
            && self.left.last() == Some(&inner)
            && is_floating(self.dtype)
    }

    /// Returns the number of results of each row of the left side.
    fn results(&self) -> i64 {
        let [first, second] = self.right;
        if self.kind == GemmKind::Linear { first } else { second }
    }

    /// Runs all warm-ups on a separate stream. The first failure ends it.
    pub fn run(device: Device, all: impl IntoIterator<Item = WarmupGemm>) -> Result<(), Failure> {
        let stream = SideStream::enter(device)?;
        all.into_iter().try_for_each(|product| match process::enter() {
            Ok(_call) => product.once(device),
            Err(_) => Ok(()),
        })?;
        stream.synchronize()
    }

    fn once(&self, device: Device) -> Result<(), Failure> {
        let empty = |sizes: &[i64]| Tensor::empty(sizes, self.dtype, device, false);
        let [rows, columns] = self.right;
        let (left, bias) = (empty(&self.left)?, empty(&[self.results()])?);
        let right = if self.columns_first { empty(&[columns, rows])? } else { empty(&[rows, columns])? };
        let added = self.bias || matches!(self.kind, GemmKind::Addmm | GemmKind::Rectified);
        let bias = if added { bias.as_ptr() } else { ptr::null() };
        // SAFETY: all tensors are valid, and the stream's scope is entered.
        check(unsafe {
            ffi::shim_warm_up_gemm(self.kind, left.as_ptr(), right.as_ptr(), self.columns_first, bias)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtype_to_torch;
    use pt2_format::program::schema::ScalarType;

    #[test]
    fn only_possible_products_are_warmed_up() {
        let product = |kind, left: &[i64], right, dtype| WarmupGemm {
            kind,
            dtype: dtype_to_torch(dtype),
            left: left.to_vec(),
            right,
            columns_first: false,
            bias: false,
        };
        use GemmKind::{Linear, Mm};
        use ScalarType::{Float, Long};
        for (product, possible) in [
            (product(Linear, &[2, 5, 3], [7, 3], Float), true),
            (product(Linear, &[3], [7, 3], Float), true),
            (product(Mm, &[2, 7], [7, 3], Float), true),
            (product(Mm, &[2, 3], [7, 3], Float), false),
            (product(Mm, &[1, 2, 7], [7, 3], Float), false),
            (product(Linear, &[], [7, 3], Float), false),
            (product(Linear, &[-2, 3], [7, 3], Float), false),
            (product(Linear, &[2, 3], [-7, 3], Float), false),
            (product(Linear, &[2, 3], [7, 3], Long), false),
            (product(Linear, &[1, 1, 1, 1, 1, 1, 1, 1, 3], [7, 3], Float), false),
        ] {
            assert_eq!(product.is_possible(), possible, "{product:?}");
        }
    }
}
