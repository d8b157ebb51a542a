//! Transfers values between the frames of a graph and its inner graphs.

use super::failure::check;
use super::{Failure, Frame, Scope, ffi};

impl Frame {
    /// Copies the value of a slot, of any kind, to a slot of another frame. A tensor's memory is
    /// shared.
    pub fn share(&self, slot: u32, to: &mut Frame, to_slot: u32) {
        // SAFETY: the plans that sized the frames assign the slots.
        unsafe { ffi::shim_frame_share(self.as_ptr(), slot, to.as_mut_ptr(), to_slot) }
    }

    /// Returns Python's truth value of a slot. A tensor must have one element.
    ///
    /// Waits for the device if the value is on it.
    pub fn is_true(&self, slot: u32, _scope: &Scope) -> Result<bool, Failure> {
        let mut truth = false;
        // SAFETY: the plan that sized the frame assigns the slots.
        check(unsafe { ffi::shim_frame_is_true(self.as_ptr(), slot, &mut truth) })?;
        Ok(truth)
    }

    /// Replaces the tensor in a slot by a copy, so that it shares no memory.
    pub fn unshare(&mut self, slot: u32, _scope: &Scope) -> Result<(), Failure> {
        // SAFETY: the plan that sized the frame assigns the slots.
        check(unsafe { ffi::shim_frame_unshare(self.as_mut_ptr(), slot) })
    }

    /// Returns the size of the first dimension of the tensor in a slot.
    pub fn rows(&self, slot: u32) -> Result<i64, Failure> {
        let mut rows = 0;
        // SAFETY: the plan that sized the frame assigns the slots, and the shim rejects other
        // values than tensors.
        check(unsafe { ffi::shim_frame_rows(self.as_ptr(), slot, &mut rows) })?;
        Ok(rows)
    }

    /// Stores one row of the tensor in a slot in a slot of another frame.
    pub fn row(
        &self,
        slot: u32,
        row: i64,
        to: &mut Frame,
        to_slot: u32,
        _scope: &Scope,
    ) -> Result<(), Failure> {
        // SAFETY: the plans that sized the frames assign the slots, and the shim rejects other
        // values than tensors.
        check(unsafe { ffi::shim_frame_row(self.as_ptr(), slot, row, to.as_mut_ptr(), to_slot) })
    }

    /// Appends the tensor in a slot to those collected in a slot of another frame. None is skipped.
    pub fn append(&self, slot: u32, to: &mut Frame, to_slot: u32) -> Result<(), Failure> {
        // SAFETY: the plans that sized the frames assign the slots, and the shim rejects other
        // values than tensors.
        check(unsafe { ffi::shim_frame_append(self.as_ptr(), slot, to.as_mut_ptr(), to_slot) })
    }

    /// Stacks the tensors collected in a slot into one tensor, each as a row.
    pub fn stack(&mut self, slot: u32, _scope: &Scope) -> Result<(), Failure> {
        // SAFETY: the plan that sized the frame assigns the slots.
        check(unsafe { ffi::shim_frame_stack(self.as_mut_ptr(), slot) })
    }
}
