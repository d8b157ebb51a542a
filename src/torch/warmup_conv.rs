//! Convolutions of cuDNN that are run before they are needed, on uninitialised memory.
//!
//! The first run of a kernel loads it, which takes 5 to 40 ms for each of cuDNN's, and its libraries 100 ms.

use super::failure::check;
use super::{Device, Failure, SideStream, ffi, process};
use crate::timeline::span;

/// `at::kFloat` (c10/core/ScalarType.h, 2.11).
const FLOAT: i32 = 6;

/// `at::kDouble`, `at::kHalf` and `at::kBFloat16`.
const OTHER_FLOATS: [i32; 3] = [7, 5, 15];

/// The largest size, stride, padding or dilation: products and sums of two are counted in 64 bits.
const MOST: i64 = 1 << 26;

/// A convolution of two spatial dimensions by cuDNN with what follows it, without any tensors. `shim/cudnn/warmup.cpp`
/// declares the same.
#[repr(C)]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WarmupConv {
    /// Of all its tensors, as libtorch numbers them ([`dtype_to_torch`](super::dtype_to_torch)).
    pub dtype: i32,
    /// Sizes of what is filtered.
    pub input: [i64; 4],
    /// Sizes of the filters.
    pub weight: [i64; 4],
    /// One element for each spatial dimension.
    pub stride: [i64; 2],
    /// As `stride`.
    pub padding: [i64; 2],
    /// As `stride`.
    pub dilation: [i64; 2],
    /// In how many groups the channels are filtered.
    pub groups: i64,
    /// Whether channels lie innermost.
    pub channels_last: bool,
    /// Whether something is added to each channel.
    pub bias: bool,
    /// Whether a tensor is added.
    pub other: bool,
    /// Whether a rectifier follows.
    pub relu: bool,
}

impl WarmupConv {
    /// One that loads the libraries and little else; not with filters of one element, which may go to cuBLAS.
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

    /// Whether there is such a convolution: sizes and arguments come from an archive and may be anything.
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

    /// The spatial sizes of the result, for numbers that are possible.
    fn output(&self) -> [i64; 2] {
        std::array::from_fn(|at| {
            let filter = self.dilation[at] * (self.weight[at + 2] - 1) + 1;
            let room = self.input[at + 2] + 2 * self.padding[at] - filter;
            if room < 0 { 0 } else { room / self.stride[at] + 1 }
        })
    }

    /// How many elements its tensors have together, for numbers that are possible.
    pub fn elements(&self) -> i64 {
        let output = count(&self.output()).saturating_mul(self.input[0]).saturating_mul(self.weight[0]);
        count(&self.input).saturating_add(count(&self.weight)).saturating_add(output.saturating_mul(2))
    }

    /// Runs all of them on a stream of their own. The first that fails ends it.
    pub fn run(device: Device, all: impl IntoIterator<Item = WarmupConv>) -> Result<(), Failure> {
        let Device::Cuda(index) = device else { return Ok(()) };
        let stream = SideStream::enter(device)?;
        for warmup in all {
            let Ok(_call) = process::enter() else { break };
            // SAFETY: it is read and not kept; the stream's scope is entered.
            span("rehearse", || check(unsafe { ffi::shim_cudnn_warm_up(index.into(), &warmup) }))?;
        }
        stream.synchronize()
    }
}

/// Whether a dtype is one that libraries multiply.
pub(super) fn is_floating(dtype: i32) -> bool {
    dtype == FLOAT || OTHER_FLOATS.contains(&dtype)
}

/// How many elements a tensor of these sizes has.
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
    fn only_possible_convolutions_are_warmed_up() {
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
        // A large border makes a large result of a small image.
        let bordered = WarmupConv { padding: [1 << 20, 1 << 20], ..small };
        assert!(bordered.is_possible() && bordered.elements() > 1 << 40);
    }
}
