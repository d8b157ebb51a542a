//! Placement: stored tensors on a device.
//!
//! On the CPU they are the archive's own memory, which the tensors keep alive. On a CUDA device they share one
//! slab, filled through little pinned memory by several threads. Either way each storage is compared with its
//! checksum by the thread that touches its bytes. Later a caller may give other tensors for some of them.

mod archived_weights;
mod assign;
mod device_storage;
mod mapped;
mod protected_ranges;
mod slab;
mod storage_index;
mod strided_view;
mod verify;
mod weights;

pub use archived_weights::ArchivedWeights;
pub use assign::Assignment;
pub use protected_ranges::holds_weights;
pub use verify::Verification;
pub use weights::Weights;

use super::pickle::SavedTensor;
use crate::Result;
use crate::torch::Device;
use device_storage::DeviceStorage;
use storage_index::StorageIndex;
use strided_view::StridedView;

/// libtorch's number of the dtype in which storages are.
const BYTE: i32 = 0;

/// Puts tensors on a device.
pub fn place(tensors: &[SavedTensor], device: Device, verify: bool) -> Result<Weights> {
    let archived = ArchivedWeights::new(tensors, device);
    archived.put(&archived.absent(), &archived.all(), verify)
}

/// What libtorch's own memory is aligned to on a device, in bytes.
pub fn alignment(device: Device) -> usize {
    match device {
        Device::Cpu => mapped::ALIGNMENT,
        Device::Cuda(_) => slab::ALIGNMENT,
    }
}
