//! Transfer of values between the frame of a graph and the frames of the graphs inside it.

use super::failure::check;
use super::{Failure, Frame, Scope, ffi};

impl Frame {
    /// Puts what is in a slot, of whatever kind, into a slot of another frame too.
    pub fn share(&self, slot: u32, to: &mut Frame, to_slot: u32) {
        // SAFETY: slots come from the plans that sized the frames.
        unsafe { ffi::shim_frame_share(self.as_ptr(), slot, to.as_mut_ptr(), to_slot) }
    }

    /// Whether Python takes the value for true; a tensor must have one element. Waits for the device if the
    /// value is there.
    pub fn is_true(&self, slot: u32, _scope: &Scope) -> Result<bool, Failure> {
        let mut truth = false;
        // SAFETY: slots come from the plan that sized the frame.
        check(unsafe { ffi::shim_frame_is_true(self.as_ptr(), slot, &mut truth) })?;
        Ok(truth)
    }

    /// Gives a tensor in a slot memory of its own.
    pub fn unshare(&mut self, slot: u32, _scope: &Scope) -> Result<(), Failure> {
        // SAFETY: slots come from the plan that sized the frame.
        check(unsafe { ffi::shim_frame_unshare(self.as_mut_ptr(), slot) })
    }

    /// The size of the first dimension of the tensor in a slot.
    pub fn rows(&self, slot: u32) -> Result<i64, Failure> {
        let mut rows = 0;
        // SAFETY: slots come from the plan that sized the frame; what is no tensor is an error.
        check(unsafe { ffi::shim_frame_rows(self.as_ptr(), slot, &mut rows) })?;
        Ok(rows)
    }

    /// Puts one row of the tensor in a slot into a slot of another frame.
    pub fn row(
        &self,
        slot: u32,
        row: i64,
        to: &mut Frame,
        to_slot: u32,
        _scope: &Scope,
    ) -> Result<(), Failure> {
        // SAFETY: slots come from the plans that sized the frames; what is no tensor is an error.
        check(unsafe { ffi::shim_frame_row(self.as_ptr(), slot, row, to.as_mut_ptr(), to_slot) })
    }

    /// Adds the tensor in a slot to those collected in a slot of another frame; None is not collected.
    pub fn append(&self, slot: u32, to: &mut Frame, to_slot: u32) -> Result<(), Failure> {
        // SAFETY: slots come from the plans that sized the frames; what is no tensor is an error.
        check(unsafe { ffi::shim_frame_append(self.as_ptr(), slot, to.as_mut_ptr(), to_slot) })
    }

    /// Makes one tensor of those collected in a slot, each a row of it.
    pub fn stack(&mut self, slot: u32, _scope: &Scope) -> Result<(), Failure> {
        // SAFETY: slots come from the plan that sized the frame.
        check(unsafe { ffi::shim_frame_stack(self.as_mut_ptr(), slot) })
    }
}
