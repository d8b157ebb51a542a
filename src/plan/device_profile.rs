//! Chooses the device profile that fits a device and this process's libtorch.

use crate::passes::DeviceProfile;
use crate::torch::{Device, Operator, generated_code};

/// Returns the device profile for the passes. `autotune` asks for convolution engines to be
/// measured.
pub fn device_profile(device: Device, autotune: bool) -> DeviceProfile {
    let (wanted, device_profile, without): (&[(&str, &str, &str)], DeviceProfile, DeviceProfile) =
        match device {
            Device::Cpu => (&ONEDNN, DeviceProfile::ONEDNN, DeviceProfile::CPU),
            Device::Cuda(_) => (&CUDNN, DeviceProfile::CUDNN, DeviceProfile::PLAIN),
        };
    let has_all =
        wanted.iter().all(|(namespace, name, overload)| Operator::find(namespace, name, overload).is_some());
    let has_all = has_all && (device != Device::Cpu || generated_code::is_allowed());
    let mut device_profile = if has_all { device_profile } else { without };
    device_profile.is_cuda = device != Device::Cpu;
    if let Some(convolution) = &mut device_profile.convolution {
        convolution.autotune = autotune;
    }
    device_profile
}

/// Fused operators of oneDNN, which a libtorch built without it lacks.
const ONEDNN: [(&str, &str, &str); 4] = [
    ("mkldnn", "_convolution_pointwise", "default"),
    ("mkldnn", "_convolution_pointwise", "binary"),
    ("mkldnn", "_convolution_pointwise_", "binary"),
    ("mkldnn", "_reorder_convolution_weight", "default"),
];

const CUDNN: [(&str, &str, &str); 1] = [("pt2", crate::passes::pt2_ops::CUDNN, "default")];
