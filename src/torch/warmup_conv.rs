//! Warm-up of cuDNN's convolutions, on uninitialised memory.
//!
//! The first run of a kernel loads it, and the first kernel loads the libraries.

use super::failure::check;
use super::{Device, Failure, SideStream, ffi, process};
use crate::timeline::span;

/// `at::kFloat` (c10/core/ScalarType.h, 2.11).
const FLOAT: i32 = 6;

/// `at::kDouble`, `at::kHalf` and `at::kBFloat16`.
const OTHER_FLOATS: [i32; 3] = [7, 5, 15];

/// Limit of sizes, strides, padding and dilation, so that products and sums of two fit 64 bits.
const MOST: i64 = 1 << 26;

/// Two-dimensional convolution of cuDNN with its epilogue, without tensors.
/// `shim/cudnn/rehearsal.cpp` declares the same.
#[repr(C)]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WarmupConv {
    /// libtorch's number of the dtype of all tensors ([`dtype_to_torch`](super::dtype_to_torch)).
    pub dtype: i32,
    /// Sizes of the input.
    pub input: [i64; 4],
    /// Sizes of the filters.
    pub weight: [i64; 4],
    /// Stride of each spatial dimension.
    pub stride: [i64; 2],
    /// Padding of each spatial dimension.
    pub padding: [i64; 2],
    /// Dilation of each spatial dimension.
    pub dilation: [i64; 2],
    /// Number of groups of channels.
    pub groups: i64,
    /// True for channels-last tensors.
    pub channels_last: bool,
    /// True if the epilogue adds a bias to each channel.
    pub bias: bool,
    /// True if the epilogue adds a tensor.
    pub other: bool,
    /// True if the epilogue ends with ReLU.
    pub relu: bool,
}

impl WarmupConv {
    /// Small convolution that loads the libraries. Its filters are larger than 1×1, which might use
    /// cuBLAS.
    pub const SMALL: WarmupConv = WarmupConv {
        dtype: FLOAT,
        input: [1, 64, 8, 8],
        weight: [64, 64, 3, 3],
        stride: [1, 1],
        padding: [1, 1],
        dilation: [1, 1],
        groups: 1,
        channels_last: true,
        bias: true,
        other: false,
        relu: true,
    };

    /// Returns true if the convolution is valid: an archive's sizes and arguments may be arbitrary.
    pub fn is_possible(&self) -> bool {
        let positive = |numbers: &[i64]| numbers.iter().all(|number| (1..=MOST).contains(number));
        let positive = positive(&self.input)
            && positive(&self.weight)
            && positive(&self.stride)
            && positive(&self.dilation)
            && positive(&[self.groups])
            && self.padding.iter().all(|padding| (0..=MOST).contains(padding));
        positive
            && self.weight[0] % self.groups == 0
            && self.weight[1].checked_mul(self.groups) == Some(self.input[1])
            && self.output().iter().all(|size| *size > 0)
            && is_floating(self.dtype)
    }

    /// Returns the spatial sizes of the result. The numbers must be within their limits.
    fn output(&self) -> [i64; 2] {
        std::array::from_fn(|at| {
            let filter = self.dilation[at] * (self.weight[at + 2] - 1) + 1;
            let room = self.input[at + 2] + 2 * self.padding[at] - filter;
            if room < 0 { 0 } else { room / self.stride[at] + 1 }
        })
    }

    /// Returns the number of elements of all tensors. The numbers must be within their limits.
    pub fn elements(&self) -> i64 {
        let output = count(&self.output()).saturating_mul(self.input[0]).saturating_mul(self.weight[0]);
        count(&self.input).saturating_add(count(&self.weight)).saturating_add(output.saturating_mul(2))
    }

    /// Runs all warm-ups on a separate stream. The first failure ends it.
    pub fn run(device: Device, all: impl IntoIterator<Item = WarmupConv>) -> Result<(), Failure> {
        let Device::Cuda(index) = device else { return Ok(()) };
        let stream = SideStream::enter(device)?;
        for rehearsal in all {
            let Ok(_call) = process::enter() else { break };
            // SAFETY: the shim reads the struct and does not keep it, and `stream` has entered its
            // scope.
            span("rehearse", || check(unsafe { ffi::shim_cudnn_rehearse(index.into(), &rehearsal) }))?;
        }
        stream.synchronize()
    }
}

/// Returns true for a dtype that the libraries multiply.
pub(super) fn is_floating(dtype: i32) -> bool {
    dtype == FLOAT || OTHER_FLOATS.contains(&dtype)
}

/// Returns the number of elements of a tensor of these sizes.
pub(super) fn count(sizes: &[i64]) -> i64 {
    sizes.iter().fold(1i64, |product, size| product.saturating_mul(*size))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::schema::ScalarType;
    use crate::torch::dtype_to_torch;

    #[test]
    fn dtypes_are_those_of_libtorch() {
        assert_eq!(WarmupConv::SMALL.dtype, dtype_to_torch(ScalarType::Float));
        let floats = [ScalarType::Double, ScalarType::Half, ScalarType::BFloat16];
        assert_eq!(OTHER_FLOATS, floats.map(dtype_to_torch));
        assert!(!is_floating(dtype_to_torch(ScalarType::Long)));
    }

    #[test]
    fn only_convolutions_that_there_are_are_rehearsed() {
        let small = WarmupConv::SMALL;
        assert!(small.is_possible());
        assert_eq!(small.output(), [8, 8]);
        let strided = WarmupConv { stride: [2, 3], padding: [0, 0], dilation: [2, 1], ..WarmupConv::SMALL };
        assert_eq!((strided.is_possible(), strided.output()), (true, [2, 2]));
        const FAR: i64 = i64::MAX;
        for impossible in [
            WarmupConv { stride: [0, 1], ..small.clone() },
            WarmupConv { dilation: [1, 0], ..small.clone() },
            WarmupConv { groups: 0, ..small.clone() },
            WarmupConv { groups: 2, ..small.clone() },
            WarmupConv { groups: FAR, ..small.clone() },
            WarmupConv { padding: [-1, 0], ..small.clone() },
            WarmupConv { padding: [FAR, 0], ..small.clone() },
            WarmupConv { dilation: [FAR, 1], ..small.clone() },
            WarmupConv { dilation: [8, 1], ..small.clone() },
            WarmupConv { input: [-1, 64, 8, 8], ..small.clone() },
            WarmupConv { weight: [64, 63, 3, 3], ..small.clone() },
            WarmupConv { weight: [0, 64, 3, 3], ..small.clone() },
            WarmupConv { dtype: dtype_to_torch(ScalarType::Long), ..small.clone() },
        ] {
            assert!(!impossible.is_possible(), "{impossible:?}");
        }
        // Large padding makes a large result of a small image.
        let bordered = WarmupConv { padding: [1 << 20, 1 << 20], ..small };
        assert!(bordered.is_possible() && bordered.elements() > 1 << 40);
    }
}
