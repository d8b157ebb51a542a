//! Guesses from a program's text which CUDA library the program will need.

use crate::passes::{DeviceProfile, Library, Optimization};
use crate::torch::CudaLibrary;
use memchr::memmem;

/// Returns the family of the operators that a program's text names, as the passes of a level will
/// leave them.
///
/// A name that is mentioned but never called counts too. Preloading a library in vain costs only a
/// thread's time.
pub fn cuda_library_hint(text: &[u8], level: Optimization, profile: &DeviceProfile) -> Option<CudaLibrary> {
    memmem::find(text, b"aten.conv")?;
    let cudnn = profile.convolution.is_some_and(|fused| fused.library == Library::CuDnn);
    let fused = cudnn && level == Optimization::Fast;
    Some(if fused { CudaLibrary::FusedConvolution } else { CudaLibrary::Convolution })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_devices_are_told_apart() {
        let text = br#"{"target": "torch.ops.aten.conv_transpose3d.input"}"#;
        let of = |level, profile| cuda_library_hint(text, level, profile);
        assert_eq!(of(Optimization::Fast, &DeviceProfile::CUDNN), Some(CudaLibrary::FusedConvolution));
        assert_eq!(of(Optimization::Exact, &DeviceProfile::CUDNN), Some(CudaLibrary::Convolution));
        assert_eq!(of(Optimization::Fast, &DeviceProfile::PLAIN), Some(CudaLibrary::Convolution));
        assert_eq!(
            cuda_library_hint(b"torch.ops.aten.linear.default", Optimization::Fast, &DeviceProfile::CUDNN),
            None
        );
    }
}
