//! Stored tensors → tensors on a device.
//!
//! On the CPU they are the archive's own memory, which the tensors keep alive. On a CUDA device they share one
//! slab, filled through little pinned memory by several threads. Either way each storage is compared with its
//! checksum by the thread that touches its bytes. Later a caller may give other tensors for some of them.

mod archived;
mod assign;
mod host;
mod protected;
mod slab;
mod storage;
mod storages;
mod verification;
mod view;
mod weights;

pub use archived::Archived;
pub use assign::Assignment;
pub use protected::holds_weights;
pub use verification::Verification;
pub use weights::Weights;

use super::pickle::SavedTensor;
use crate::Result;
use crate::torch::Device;
use storage::Storage;
use storages::Storages;
use view::View;

/// libtorch's number of the dtype in which storages are.
const BYTE: i32 = 0;

/// Puts tensors on a device.
pub fn place(tensors: &[SavedTensor], device: Device, verify: bool) -> Result<Weights> {
    let archived = Archived::new(tensors, device);
    archived.put(&archived.absent(), &archived.all(), verify)
}

/// What libtorch's own memory is aligned to on a device, in bytes.
pub fn alignment(device: Device) -> usize {
    match device {
        Device::Cpu => host::ALIGNMENT,
        Device::Cuda(_) => slab::ALIGNMENT,
    }
}
