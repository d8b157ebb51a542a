//! Device profile: the facts about a device that passes may use, as data.

use super::convolution::Library;
use crate::program::schema::{Device, ScalarType};

/// Optimisation level: how far a program may be rewritten before it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Optimization {
    /// Outputs are, bit for bit, those of the exported program run by PyTorch on the same device.
    Exact,
    /// Operations may be regrouped at the same precision settings. Outputs are as near to the true
    /// result as PyTorch's, but not the same to the last bit.
    #[default]
    Fast,
}

/// Fused calls, costs and thresholds of a device.
#[derive(Clone, Copy, Debug)]
pub struct DeviceProfile {
    /// True for CUDA devices, false for the CPU.
    pub is_cuda: bool,
    /// Fused convolutions of the device's library.
    pub convolution: Option<FusedConvolution>,
    /// Relative costs of channels-last convolutions. None if the device gains nothing by the
    /// format.
    pub channels_last: Option<LayoutCosts>,
    /// Element types for which products with ReLU are single calls.
    pub products: &'static [ScalarType],
    /// True if pointwise operators are fused.
    pub pointwise: bool,
    /// Minimum number of elements at export from which arithmetic gains by writing in place.
    pub in_place: Option<i64>,
    /// Limits of the rewrite of strided convolutions of images with few channels. None if the
    /// device gains nothing by it.
    pub few_channels: Option<FewChannels>,
    /// Element types in which convolutions that make patches are left unchanged.
    pub patches: &'static [ScalarType],
}

/// Depthwise convolutions of two dimensions for which a library has kernels.
#[derive(Clone, Copy, Debug)]
pub struct Depthwise {
    /// Element types.
    pub dtypes: &'static [ScalarType],
    /// Heights and widths of filters.
    pub filters: &'static [i64],
}

/// Convolutions that a library fuses with their epilogue.
#[derive(Clone, Copy, Debug)]
pub struct FusedConvolution {
    /// Library that has the calls.
    pub library: Library,
    /// Element types.
    pub dtypes: &'static [ScalarType],
    /// Numbers of spatial dimensions.
    pub spatial: &'static [usize],
    /// True if more than one group is supported.
    pub grouped: bool,
    /// Channels-last depthwise convolutions that are supported too, without an epilogue.
    pub depthwise: Option<Depthwise>,
    /// Maximum number of products in each sum. The library adds them one after the other, while
    /// libtorch's own choice adds partial sums. The rounding of longer sums shows in the outputs.
    pub longest: i64,
    /// True if the fastest engine is measured, where the library has several.
    pub autotune: bool,
}

/// Convolutions for which blocks of pixels become channels.
#[derive(Clone, Copy, Debug)]
pub struct FewChannels {
    /// Number of channels of the blocks. Convolutions that need more are left unchanged.
    pub channels: i64,
    /// Element types, each with the minimum height and width of filters.
    pub filters: &'static [(ScalarType, i64)],
}

/// Costs of channels-last convolutions, relative to contiguous ones.
#[derive(Clone, Copy, Debug)]
pub struct LayoutCosts {
    /// Several groups of more than one channel.
    pub grouped: f64,
    /// Several groups of one channel with three spatial dimensions. None if these convolutions are
    /// left unchanged.
    pub depthwise_3d: Option<f64>,
    /// Element types in which depthwise convolutions of two dimensions are left unchanged, and
    /// programs with many of them.
    pub depthwise_2d_stays: &'static [ScalarType],
    /// At most 64 channels in and out.
    pub small: f64,
    /// At least twice as many channels in as out.
    pub narrowing: f64,
    /// Any other.
    pub other: f64,
    /// Element types.
    pub dtypes: &'static [ScalarType],
}

impl DeviceProfile {
    /// Returns true if a recorded device is of the profile's type.
    pub fn is_like(&self, recorded: &Device) -> bool {
        recorded.r#type == if self.is_cuda { "cuda" } else { "cpu" }
    }

    /// Profile without any gains.
    pub const PLAIN: DeviceProfile = DeviceProfile {
        is_cuda: false,
        convolution: None,
        channels_last: None,
        products: &[],
        pointwise: false,
        in_place: None,
        few_channels: None,
        patches: &[],
    };

    /// Profile of a CPU. Results below the threshold reuse memory that the process already has.
    pub const CPU: DeviceProfile =
        DeviceProfile { pointwise: true, in_place: Some(1 << 16), ..DeviceProfile::PLAIN };

    /// Profile of a CPU with oneDNN. Prepacked weights gain as much as channels-last would.
    pub const ONEDNN: DeviceProfile = DeviceProfile {
        convolution: Some(FusedConvolution {
            library: Library::OneDnn,
            dtypes: &[ScalarType::Float],
            spatial: &[2, 3],
            grouped: true,
            depthwise: None,
            longest: 4096,
            autotune: false,
        }),
        ..DeviceProfile::CPU
    };

    /// Profile of a CUDA device with cuDNN. The fused calls take two spatial dimensions and one
    /// group: for groups libtorch has its own kernels, which are often faster.
    ///
    /// The costs are those of `decide_layout_opt` in `torch/_inductor/graph.py` (2.11).
    pub const CUDNN: DeviceProfile = DeviceProfile {
        is_cuda: true,
        convolution: Some(FusedConvolution {
            library: Library::CuDnn,
            dtypes: &[ScalarType::Float, ScalarType::Half, ScalarType::BFloat16],
            spatial: &[2],
            grouped: false,
            // libtorch runs the first engine that cuDNN suggests. For channels-last depthwise
            // convolutions cuDNN 9.10 and later suggest one that compiles its kernel at run time.
            // For these filters cuDNN has precompiled kernels that are as fast.
            depthwise: Some(Depthwise {
                dtypes: &[ScalarType::Half, ScalarType::BFloat16],
                filters: &[3, 5],
            }),
            longest: i64::MAX,
            autotune: false,
        }),
        channels_last: Some(LayoutCosts {
            grouped: 1.358,
            // For contiguous tensors libtorch has one kernel for all of them. Otherwise cuDNN runs
            // several kernels for each channel (`use_cudnn_depthwise` in
            // `aten/src/ATen/native/Convolution.cpp`, 2.11).
            depthwise_3d: None,
            // libtorch's kernel is for contiguous tensors. For channels-last ones, cuDNN compiles a
            // kernel for each convolution.
            depthwise_2d_stays: &[ScalarType::Float],
            small: 0.783,
            narrowing: 0.725,
            other: 0.823,
            dtypes: &[ScalarType::Float, ScalarType::Half, ScalarType::BFloat16],
        }),
        products: &[ScalarType::Float, ScalarType::Half, ScalarType::BFloat16],
        pointwise: false,
        // libtorch's caching allocator already has the memory.
        in_place: None,
        few_channels: Some(FewChannels {
            channels: 16,
            filters: &[(ScalarType::Float, 5), (ScalarType::Half, 3), (ScalarType::BFloat16, 3)],
        }),
        // cuDNN often computes the exported form in float32, but the rewritten one in TF32.
        patches: &[ScalarType::Float],
    };
}
