//! Which table of the passes fits a device with the libtorch of this process.

use crate::passes::Traits;
use crate::torch::{Device, Operator, generated_code};

/// What the passes may know of the device; `tuned` if the fastest ways are to be measured.
pub fn traits(device: Device, tuned: bool) -> Traits {
    let (wanted, traits, without): (&[(&str, &str, &str)], Traits, Traits) = match device {
        Device::Cpu => (&ONEDNN, Traits::ONEDNN, Traits::CPU),
        Device::Cuda(_) => (&CUDNN, Traits::CUDNN, Traits::PLAIN),
    };
    let has_all =
        wanted.iter().all(|(namespace, name, overload)| Operator::find(namespace, name, overload).is_some());
    let has_all = has_all && (device != Device::Cpu || generated_code::is_allowed());
    let mut traits = if has_all { traits } else { without };
    if let Some(convolution) = &mut traits.convolution {
        convolution.tuned = tuned;
    }
    traits
}

/// Missing where libtorch was built without oneDNN.
const ONEDNN: [(&str, &str, &str); 4] = [
    ("mkldnn", "_convolution_pointwise", "default"),
    ("mkldnn", "_convolution_pointwise", "binary"),
    ("mkldnn", "_convolution_pointwise_", "binary"),
    ("mkldnn", "_reorder_convolution_weight", "default"),
];

const CUDNN: [(&str, &str, &str); 1] = [("pt2", crate::passes::CUDNN, "default")];
