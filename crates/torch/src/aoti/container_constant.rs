//! A constant of a model container: its name, its values, and whose memory holds them.

use crate::failure::check;
use crate::{Failure, Tensor, ffi};
use libc::c_void;
use std::ptr;

/// A tensor of a container's. Its memory is the container's own until it is told to read another tensor's.
#[derive(Debug)]
pub struct ContainerConstant {
    /// Its name in the exported module.
    pub name: String,
    /// What it was there: 1 a parameter, 2 a buffer, 3 a tensor (`aoti_runtime/constant_type.h` 2.11).
    pub kind: i32,
    /// The container's own tensor, of which the code has the address.
    tensor: Tensor,
    /// The container's own memory; NULL where there is none, or none that could be exchanged.
    own: *mut c_void,
    lender: Option<Tensor>,
}

// SAFETY: the memory that `own` points to belongs to the container, not to a thread.
unsafe impl Send for ContainerConstant {}

impl ContainerConstant {
    pub(super) fn new(name: String, kind: i32, tensor: Tensor) -> ContainerConstant {
        // SAFETY: the tensor is valid.
        let own = unsafe { ffi::shim_constant_memory(tensor.as_ptr()) };
        ContainerConstant { name, kind, tensor, own, lender: None }
    }

    /// The container's tensor. Who writes to it sees to it that nobody is inside.
    pub fn tensor(&self) -> &Tensor {
        &self.tensor
    }

    /// The tensor whose memory it reads instead of the container's own.
    pub fn lender(&self) -> Option<&Tensor> {
        self.lender.as_ref()
    }

    /// Whether the container has memory of its own for it.
    pub fn has_own(&self) -> bool {
        !self.own.is_null()
    }

    /// Whether it can read memory elsewhere.
    pub fn is_movable(&self) -> bool {
        self.has_own() || self.lender.is_some()
    }

    /// Reads the memory of a tensor, which is kept, once [`Container::fold`](super::Container::fold) is called. That has the
    /// same dtype, sizes, strides and device, and this is movable.
    pub fn read_from(&mut self, lender: Tensor) -> Result<(), Failure> {
        // SAFETY: both tensors are valid, and lie alike.
        check(unsafe { ffi::shim_constant_read(self.tensor.as_ptr(), lender.as_ptr(), ptr::null_mut()) })?;
        self.lender = Some(lender);
        Ok(())
    }

    /// Reads the container's own memory again, if there is any.
    pub fn read_own(&mut self) -> Result<(), Failure> {
        if self.has_own() && self.lender.is_some() {
            // SAFETY: the tensor is valid, and the memory is that which it had when it was made.
            check(unsafe { ffi::shim_constant_read(self.tensor.as_ptr(), ptr::null(), self.own) })?;
            self.lender = None;
        }
        Ok(())
    }

    /// The container's memory is about to go.
    pub fn forget_own(&mut self) {
        self.own = ptr::null_mut();
    }
}
