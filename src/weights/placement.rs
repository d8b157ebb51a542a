//! Placement: puts stored tensors on a device.
//!
//! On the CPU the weights are the archive's own memory, which the tensors keep alive. On a CUDA
//! device they share one slab, which several threads fill through small pinned buffers. Other threads
//! compare the bytes with their checksums ([`Verification`]). A caller may later assign other
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

use crate::torch::Device;
use device_storage::DeviceStorage;
use storage_index::StorageIndex;
use strided_view::StridedView;

/// libtorch's number of the dtype of storages, uint8.
const BYTE: i32 = 0;

/// Returns the alignment of libtorch's own memory on a device, in bytes.
pub fn alignment(device: Device) -> usize {
    match device {
        Device::Cpu => mapped::ALIGNMENT,
        Device::Cuda(_) => slab::ALIGNMENT,
    }
}
