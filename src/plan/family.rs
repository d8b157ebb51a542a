//! Which library a program will need on a CUDA device.

use crate::passes::{Library, Optimization, Traits};
use crate::torch::Family;
use memchr::memmem;

/// The family of the operators in a program's text, as the passes of a level will leave them. A name that is only
/// mentioned counts too: a library that is loaded in vain costs a thread some time.
pub fn family(text: &[u8], level: Optimization, traits: &Traits) -> Option<Family> {
    memmem::find(text, b"aten.conv")?;
    let cudnn = traits.convolution.is_some_and(|fused| fused.library == Library::CuDnn);
    let fused = cudnn && level == Optimization::Fast;
    Some(if fused { Family::FusedConvolution } else { Family::Convolution })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_devices_are_told_apart() {
        let text = br#"{"target": "torch.ops.aten.conv_transpose3d.input"}"#;
        let of = |level, traits| family(text, level, traits);
        assert_eq!(of(Optimization::Fast, &Traits::CUDNN), Some(Family::FusedConvolution));
        assert_eq!(of(Optimization::Exact, &Traits::CUDNN), Some(Family::Convolution));
        assert_eq!(of(Optimization::Fast, &Traits::PLAIN), Some(Family::Convolution));
        assert_eq!(family(b"torch.ops.aten.linear.default", Optimization::Fast, &Traits::CUDNN), None);
    }
}
