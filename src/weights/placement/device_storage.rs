//! The bytes that tensors of an archive are views into, on a device.

use super::protected_ranges::Protected;
use crate::torch::Tensor;
use std::ops::Deref;
use std::sync::Arc;

/// A tensor of bytes that no program may be made to write to through its inputs or outputs.
#[derive(Clone, Debug)]
pub(super) struct DeviceStorage {
    bytes: Tensor,
    _protected: Arc<Protected>,
}

impl DeviceStorage {
    pub fn new(bytes: Tensor) -> DeviceStorage {
        let protected = Arc::new(Protected::new(bytes.view().reach()));
        DeviceStorage { bytes, _protected: protected }
    }
}

impl Deref for DeviceStorage {
    type Target = Tensor;

    fn deref(&self) -> &Tensor {
        &self.bytes
    }
}
