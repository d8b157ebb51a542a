//! Convolutions that are run before they are needed, on memory that nobody has written.
//!
//! The first run of a kernel loads it, which takes 5 to 40 ms for each of cuDNN's, and its libraries 100 ms.

use super::failure::check;
use super::{Device, Failure, SideStream, ffi, process};
use crate::timeline::span;

/// `at::kFloat` (c10/core/ScalarType.h, 2.11).
const FLOAT: i32 = 6;

/// A convolution of two spatial dimensions by cuDNN with what follows it, without any tensors. `shim/cudnn/rehearsal.cpp`
/// declares the same.
#[repr(C)]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rehearsal {
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

impl Rehearsal {
    /// One that loads the libraries and little else; not with filters of one element, which may go to cuBLAS.
    pub const SMALL: Rehearsal = Rehearsal {
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

    /// About how many elements its tensors have together.
    pub fn elements(&self) -> i64 {
        let output = count(&self.input[2..]).saturating_mul(self.input[0]).saturating_mul(self.weight[0]);
        count(&self.input).saturating_add(count(&self.weight)).saturating_add(output.saturating_mul(2))
    }

    /// Runs all of them on a stream of their own. The first that fails ends it.
    pub fn run(device: Device, all: impl IntoIterator<Item = Rehearsal>) -> Result<(), Failure> {
        let Device::Cuda(index) = device else { return Ok(()) };
        let stream = SideStream::enter(device)?;
        for rehearsal in all {
            let Ok(_call) = process::enter() else { break };
            // SAFETY: it is read and not kept; the stream's scope is entered.
            span("rehearse", || check(unsafe { ffi::shim_cudnn_rehearse(index.into(), &rehearsal) }))?;
        }
        stream.synchronize()
    }
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
    fn the_small_one_is_of_float32() {
        assert_eq!(Rehearsal::SMALL.dtype, dtype_to_torch(ScalarType::Float));
    }
}
