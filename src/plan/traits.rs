//! Which table of the passes fits a device with the libtorch of this process.

use crate::passes::Traits;
use crate::torch::{Device, Operator};

/// What the passes may know of the device.
pub fn traits(device: Device) -> Traits {
    let (wanted, traits, without): (&[(&str, &str, &str)], Traits, Traits) = match device {
        Device::Cpu => (&ONEDNN, Traits::ONEDNN, Traits::CPU),
        Device::Cuda(_) => (&CUDNN, Traits::CUDNN, Traits::PLAIN),
    };
    let has_all =
        wanted.iter().all(|(namespace, name, overload)| Operator::find(namespace, name, overload).is_some());
    if has_all { traits } else { without }
}

/// Missing where libtorch was built without oneDNN.
const ONEDNN: [(&str, &str, &str); 4] = [
    ("mkldnn", "_convolution_pointwise", "default"),
    ("mkldnn", "_convolution_pointwise", "binary"),
    ("mkldnn", "_convolution_pointwise_", "binary"),
    ("mkldnn", "_reorder_convolution_weight", "default"),
];

const CUDNN: [(&str, &str, &str); 2] =
    [("aten", "cudnn_convolution_relu", "default"), ("aten", "cudnn_convolution_add_relu", "default")];
