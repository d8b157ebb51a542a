//! Placement: puts stored tensors on a device.
//!
//! On the CPU the weights are the archive's own memory, which the tensors keep alive. On a CUDA
//! device they share one slab, which several threads fill through small pinned buffers. The thread
//! that reads a storage's bytes also checks their checksum. A caller may later assign other
//! tensors.

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

/// libtorch's number of the dtype of storages, uint8.
const BYTE: i32 = 0;

/// Places all tensors on a device.
pub fn place(tensors: &[SavedTensor], device: Device, verify: bool) -> Result<Weights> {
    let archived = ArchivedWeights::new(tensors, device);
    archived.put(&archived.absent(), &archived.all(), verify)
}

/// Returns the alignment of libtorch's own memory on a device, in bytes.
pub fn alignment(device: Device) -> usize {
    match device {
        Device::Cpu => mapped::ALIGNMENT,
        Device::Cuda(_) => slab::ALIGNMENT,
    }
}
