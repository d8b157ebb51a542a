//! Device profile: what the passes may know of a device, as data.

use super::convolution::Library;
use crate::program::schema::ScalarType;

/// How far a program may be rewritten before it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Optimization {
    /// The outputs are, bit for bit, those of the exported program run by PyTorch on the same device.
    Exact,
    /// Operations may be regrouped at the same precision settings: outputs are as near to the true result as
    /// PyTorch's, but not the same to the last bit.
    #[default]
    Fast,
}

/// What the passes may know of a device.
#[derive(Clone, Copy, Debug)]
pub struct DeviceProfile {
    /// Convolutions with what follows them as single calls.
    pub convolution: Option<FusedConvolution>,
    /// Whether convolutions run faster with channels innermost, by how much of their arithmetic.
    pub channels_last: Option<LayoutCosts>,
    /// Element types for which products with a rectifier are single calls.
    pub products: &'static [ScalarType],
    /// Whether arithmetic on each element is joined.
    pub pointwise: bool,
    /// From how many elements at export on arithmetic gains by writing over what it reads.
    pub in_place: Option<i64>,
    /// Whether strided convolutions of images with few channels gain by having blocks of pixels as channels.
    pub few_channels: Option<FewChannels>,
    /// Element types in which convolutions that make patches stay as they are.
    pub patches: &'static [ScalarType],
}

/// Depthwise convolutions of two dimensions for which a library has kernels.
#[derive(Clone, Copy, Debug)]
pub struct Depthwise {
    /// Their element types.
    pub dtypes: &'static [ScalarType],
    /// Height and width of their filters.
    pub filters: &'static [i64],
}

/// Where a library has convolutions with what follows them as single calls.
#[derive(Clone, Copy, Debug)]
pub struct FusedConvolution {
    /// Whose calls they are.
    pub library: Library,
    /// For these element types.
    pub dtypes: &'static [ScalarType],
    /// For these numbers of spatial dimensions.
    pub spatial: &'static [usize],
    /// Also for more than one group.
    pub grouped: bool,
    /// Also for these channels-last depthwise convolutions, without what follows them.
    pub depthwise: Option<Depthwise>,
    /// Up to so many products in each sum: the library adds them one after the other, where libtorch's own choice adds
    /// sums of parts, and the rounding of long sums is seen in the outputs.
    pub longest: i64,
    /// The fastest of the library's ways is measured, where it has several.
    pub autotune: bool,
}

/// Where blocks of pixels become channels.
#[derive(Clone, Copy, Debug)]
pub struct FewChannels {
    /// How many channels the blocks get; those that have more stay.
    pub channels: i64,
    /// For these element types, and filters of at least so many elements in height and width.
    pub filters: &'static [(ScalarType, i64)],
}

/// What a convolution takes with channels innermost, relative to channels outermost.
#[derive(Clone, Copy, Debug)]
pub struct LayoutCosts {
    /// Several groups of more than one channel.
    pub grouped: f64,
    /// Several groups of one channel with three spatial dimensions; None where they stay as they are.
    pub depthwise_3d: Option<f64>,
    /// Element types in which depthwise convolutions of two dimensions stay as they are, and programs with many of them.
    pub depthwise_2d_stays: &'static [ScalarType],
    /// At most 64 channels in and out.
    pub small: f64,
    /// At least twice as many channels in as out.
    pub narrowing: f64,
    /// Any other.
    pub other: f64,
    /// For these element types.
    pub dtypes: &'static [ScalarType],
}

impl DeviceProfile {
    /// A device of which nothing is known.
    pub const PLAIN: DeviceProfile = DeviceProfile {
        convolution: None,
        channels_last: None,
        products: &[],
        pointwise: false,
        in_place: None,
        few_channels: None,
        patches: &[],
    };

    /// A CPU. Smaller results lie in memory that the process has already.
    pub const CPU: DeviceProfile =
        DeviceProfile { pointwise: true, in_place: Some(1 << 16), ..DeviceProfile::PLAIN };

    /// A CPU with oneDNN. It reorders weights for itself once, which gains what channels-last would.
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

    /// A CUDA device with cuDNN. The fused calls take two spatial dimensions and one group: for groups libtorch has
    /// kernels of its own that are often faster. The costs are those that `decide_layout_opt` of
    /// `torch/_inductor/graph.py` (2.11) measured.
    pub const CUDNN: DeviceProfile = DeviceProfile {
        convolution: Some(FusedConvolution {
            library: Library::CuDnn,
            dtypes: &[ScalarType::Float, ScalarType::Half, ScalarType::BFloat16],
            spatial: &[2],
            grouped: false,
            // libtorch runs the first engine that cuDNN suggests, and for channels-last depthwise convolutions cuDNN 9.10
            // and later suggests one that compiles its kernel at run time, for about 0.1 s each. For these it has kernels
            // that are as fast and there at once.
            depthwise: Some(Depthwise {
                dtypes: &[ScalarType::Half, ScalarType::BFloat16],
                filters: &[3, 5],
            }),
            longest: i64::MAX,
            autotune: false,
        }),
        channels_last: Some(LayoutCosts {
            grouped: 1.358,
            // With channels outermost libtorch has a kernel for all of them, otherwise cuDNN takes several for each
            // channel (`use_cudnn_depthwise` in `aten/src/ATen/native/Convolution.cpp`, 2.11).
            depthwise_3d: None,
            // libtorch's kernel is for contiguous tensors; channels-last, cuDNN compiles one for each convolution.
            depthwise_2d_stays: &[ScalarType::Float],
            small: 0.783,
            narrowing: 0.725,
            other: 0.823,
            dtypes: &[ScalarType::Float, ScalarType::Half, ScalarType::BFloat16],
        }),
        products: &[ScalarType::Float, ScalarType::Half, ScalarType::BFloat16],
        pointwise: false,
        // libtorch's allocator has the memory already.
        in_place: None,
        few_channels: Some(FewChannels {
            channels: 16,
            filters: &[(ScalarType::Float, 5), (ScalarType::Half, 3), (ScalarType::BFloat16, 3)],
        }),
        // As they are exported cuDNN often computes them in float32, and in TF32 otherwise: seen in ViT and Video Swin.
        patches: &[ScalarType::Float],
    };
}
