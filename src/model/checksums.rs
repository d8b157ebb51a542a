//! When stored bytes are compared with their checksums.

use crate::Result;
use crate::torch::Device;
use crate::weights::pickle::SavedTensor;
use crate::weights::place::Verification;

/// Who compares stored bytes with their checksums.
pub enum Checksums {
    /// Nobody: the file is trusted.
    Trusted,
    /// Threads, while the program is read: on the CPU no one else has to touch the bytes before that is done.
    Beside(Verification),
    /// Whoever copies the bytes to the device.
    WhenPlaced,
}

impl Checksums {
    /// Begins, if bytes are compared and stay where they are.
    pub fn begin(stored: &[SavedTensor], device: Device, wanted: bool) -> Checksums {
        match device {
            _ if !wanted => Checksums::Trusted,
            Device::Cpu => Checksums::Beside(Verification::of(stored)),
            Device::Cuda(_) => Checksums::WhenPlaced,
        }
    }

    /// Waits for the answer; true if it is left to whoever places the bytes.
    pub fn finish(self) -> Result<bool> {
        match self {
            Checksums::Trusted => Ok(false),
            Checksums::Beside(verification) => verification.finish().map(|()| false),
            Checksums::WhenPlaced => Ok(true),
        }
    }
}
