//! Convolutions of cuDNN that are run before they are needed, on uninitialised memory.
//!
//! The first run of a kernel loads it, which takes 5 to 40 ms for each of cuDNN's, and its libraries 100 ms.

use super::failure::check;
use super::{Device, Failure, SideStream, WarmupConv, ffi, process};
use pt2_format::timeline::span;

/// Runs all of them on a stream of their own. The first that fails ends it.
pub fn warm_up_convs(device: Device, all: impl IntoIterator<Item = WarmupConv>) -> Result<(), Failure> {
    let Device::Cuda(index) = device else { return Ok(()) };
    let stream = SideStream::enter(device)?;
    for warmup in all {
        let Ok(_call) = process::enter() else { break };
        // SAFETY: it is read and not kept; the stream's scope is entered.
        span("rehearse", || check(unsafe { ffi::shim_cudnn_warm_up(index.into(), &warmup) }))?;
    }
    stream.synchronize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtype_to_torch;
    use crate::ffi::is_floating;
    use pt2_format::program::schema::ScalarType;

    #[test]
    fn dtypes_are_those_of_libtorch() {
        assert_eq!(WarmupConv::SMALL.dtype, dtype_to_torch(ScalarType::Float));
        let floats = [ScalarType::Double, ScalarType::Half, ScalarType::BFloat16];
        assert!(floats.map(dtype_to_torch).into_iter().all(is_floating));
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
