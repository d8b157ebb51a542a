//! Bytes on a device that tensors of an archive are views of.

use super::protected_ranges::Protected;
use crate::torch::Tensor;
use std::ops::Deref;
use std::sync::Arc;

/// Tensor of bytes that mutated inputs and output buffers must not overlap.
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
