//! Constant of a model container: its name, its tensor and the owner of its memory.

use crate::failure::check;
use crate::{Failure, Tensor, ffi};
use libc::c_void;
use std::ptr;

/// Constant of a container. It is in the container's own memory until it is redirected to another
/// tensor's.
#[derive(Debug)]
pub struct ContainerConstant {
    /// Name in the exported module.
    pub name: String,
    /// Kind in the exported module: 1 parameter, 2 buffer, 3 tensor
    /// (`aoti_runtime/constant_type.h`, 2.11).
    pub kind: i32,
    /// The container's own tensor, whose address the code holds.
    tensor: Tensor,
    /// The container's own memory; NULL if it has none, or none that can be exchanged.
    own: *mut c_void,
    lender: Option<Tensor>,
}

// SAFETY: the container owns the memory at `own`, which is not bound to a thread.
unsafe impl Send for ContainerConstant {}

impl ContainerConstant {
    pub(super) fn new(name: String, kind: i32, tensor: Tensor) -> ContainerConstant {
        // SAFETY: the tensor is valid.
        let own = unsafe { ffi::shim_constant_memory(tensor.as_ptr()) };
        ContainerConstant { name, kind, tensor, own, lender: None }
    }

    /// Returns the container's tensor. A caller that writes to it must ensure that no call is in
    /// the container.
    pub fn tensor(&self) -> &Tensor {
        &self.tensor
    }

    /// Returns the tensor whose memory the constant uses instead of the container's own.
    pub fn lender(&self) -> Option<&Tensor> {
        self.lender.as_ref()
    }

    /// Returns true if the container owns memory for the constant.
    pub fn has_own(&self) -> bool {
        !self.own.is_null()
    }

    /// Returns true if the constant can be redirected to other memory.
    pub fn is_movable(&self) -> bool {
        self.has_own() || self.lender.is_some()
    }

    /// Redirects the constant to a tensor's memory, and keeps the tensor.
    ///
    /// Takes effect at the next [`ModelContainer::fold`](super::ModelContainer::fold). The constant
    /// must be movable, and the tensor must have its dtype, sizes, strides and device.
    pub fn read_from(&mut self, lender: Tensor) -> Result<(), Failure> {
        // SAFETY: both tensors are valid. The caller ensures that they have the same layout.
        check(unsafe { ffi::shim_constant_read(self.tensor.as_ptr(), lender.as_ptr(), ptr::null_mut()) })?;
        self.lender = Some(lender);
        Ok(())
    }

    /// Redirects the constant to the container's own memory, if there is any.
    pub fn read_own(&mut self) -> Result<(), Failure> {
        if self.has_own() && self.lender.is_some() {
            // SAFETY: the tensor is valid, and `own` is the memory that it had at first.
            check(unsafe { ffi::shim_constant_read(self.tensor.as_ptr(), ptr::null(), self.own) })?;
            self.lender = None;
        }
        Ok(())
    }

    /// Forgets the container's own memory, which is about to be freed.
    pub fn forget_own(&mut self) {
        self.own = ptr::null_mut();
    }
}
