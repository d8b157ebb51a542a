//! The bytes that tensors of an archive are views into, on a device.

use super::protected::Protected;
use crate::torch::Tensor;
use std::ops::Deref;
use std::sync::Arc;

/// A tensor of bytes that no program may be made to write to through its inputs or outputs.
#[derive(Clone, Debug)]
pub(super) struct Storage {
    bytes: Tensor,
    _protected: Arc<Protected>,
}

impl Storage {
    pub fn new(bytes: Tensor) -> Storage {
        let protected = Arc::new(Protected::new(bytes.view().reach()));
        Storage { bytes, _protected: protected }
    }
}

impl Deref for Storage {
    type Target = Tensor;

    fn deref(&self) -> &Tensor {
        &self.bytes
    }
}
