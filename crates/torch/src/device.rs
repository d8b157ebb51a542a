//! Devices that a program can run on.

use std::fmt;
use std::str::FromStr;

/// The CPU, or a CUDA device by its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Device {
    /// The CPU.
    Cpu,
    /// CUDA device `cuda:N`.
    Cuda(u16),
}

impl Device {
    /// Returns libtorch's number of the device type (`c10/core/DeviceType.h`, 2.11).
    pub(super) fn torch_type(self) -> i32 {
        match self {
            Device::Cpu => 0,
            Device::Cuda(_) => 1,
        }
    }

    pub(super) fn torch_index(self) -> i32 {
        match self {
            Device::Cpu => 0,
            Device::Cuda(index) => i32::from(index),
        }
    }

    pub(super) fn from_torch(kind: i32, index: i32) -> Option<Device> {
        match kind {
            0 => Some(Device::Cpu),
            1 => u16::try_from(index).ok().map(Device::Cuda),
            _ => None,
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Device::Cpu => f.write_str("cpu"),
            Device::Cuda(index) => write!(f, "cuda:{index}"),
        }
    }
}

impl FromStr for Device {
    type Err = String;

    fn from_str(text: &str) -> Result<Device, String> {
        match text {
            "cpu" | "cpu:0" => Ok(Device::Cpu),
            _ => {
                let index = pt2_cuda_driver::index_of(text).map(Device::Cuda);
                index.ok_or_else(|| format!("`{text}` is no device; use cpu, cuda or cuda:N"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_and_written() {
        for (text, device) in [
            ("cpu", Device::Cpu),
            ("cuda", Device::Cuda(0)),
            ("cuda:0", Device::Cuda(0)),
            ("cuda:12", Device::Cuda(12)),
        ] {
            assert_eq!(text.parse(), Ok(device));
        }
        assert_eq!(Device::Cuda(3).to_string(), "cuda:3");
        for wrong in ["", "gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:+1", "cuda:99999", "CPU", "cpu:1", "mps"]
        {
            assert!(wrong.parse::<Device>().is_err(), "{wrong}");
        }
    }
}
