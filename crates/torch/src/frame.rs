//! The values of one call, by slot.

use super::failure::check;
use super::{Device, Failure, Tensor, Working, Workspace, ffi};
use std::ptr::{self, NonNull};

/// Slots that operators read from and store to, and the memory they work in. Private to one call.
#[derive(Debug)]
pub struct Frame {
    raw: NonNull<ffi::Frame>,
    workspace: Option<Workspace>,
}

// SAFETY: a frame is used by one thread at a time (`&mut`), and what it holds is reference counted atomically.
unsafe impl Send for Frame {}

/// What a slot holds, if it is not empty.
#[derive(Debug)]
pub enum Scalar {
    /// A tensor.
    Tensor(Tensor),
    /// A size or an int.
    Int(i64),
    /// A float.
    Float(f64),
    /// A bool.
    Bool(bool),
}

impl Frame {
    /// A frame of empty slots.
    pub fn new(slots: usize) -> Result<Frame, Failure> {
        // SAFETY: returns NULL when memory is short.
        let raw = NonNull::new(unsafe { ffi::shim_frame_new(slots) }).ok_or_else(Failure::exhausted)?;
        Ok(Frame { raw, workspace: None })
    }

    /// Has this thread work in the memory that earlier calls on this frame worked in, until what is returned is
    /// dropped. None on a CUDA device, where libtorch's own allocator does that.
    pub fn work(&mut self, device: Device) -> Option<Working> {
        (device == Device::Cpu).then(|| self.workspace.get_or_insert_with(Workspace::default).enter())
    }

    /// Puts a tensor into a slot; the frame shares it.
    pub fn set_tensor(&mut self, slot: u32, tensor: &Tensor) {
        // SAFETY: slots come from the plan that sized the frame; the tensor is valid.
        unsafe { ffi::shim_frame_set_tensor(self.as_mut_ptr(), slot, tensor.as_ptr()) }
    }

    /// Puts an int into a slot.
    pub fn set_int(&mut self, slot: u32, value: i64) {
        // SAFETY: slots come from the plan that sized the frame.
        unsafe { ffi::shim_frame_set_int(self.as_mut_ptr(), slot, value) }
    }

    /// Puts a float into a slot.
    pub fn set_float(&mut self, slot: u32, value: f64) {
        // SAFETY: slots come from the plan that sized the frame.
        unsafe { ffi::shim_frame_set_float(self.as_mut_ptr(), slot, value) }
    }

    /// Puts a bool into a slot.
    pub fn set_bool(&mut self, slot: u32, value: bool) {
        // SAFETY: slots come from the plan that sized the frame.
        unsafe { ffi::shim_frame_set_bool(self.as_mut_ptr(), slot, value) }
    }

    /// Returns the value of a slot; None for an empty one, for Python's None and for an undefined tensor.
    pub fn get(&self, slot: u32) -> Result<Option<Scalar>, Failure> {
        let frame = self.raw.as_ptr();
        // SAFETY: slots come from the plan that sized the frame; each reader is called for its own tag.
        unsafe {
            Ok(Some(match ffi::shim_frame_tag(frame, slot) {
                1 => Scalar::Tensor(self.tensor(slot)?),
                2 => Scalar::Int(ffi::shim_frame_int(frame, slot)),
                3 => Scalar::Float(ffi::shim_frame_float(frame, slot)),
                4 => Scalar::Bool(ffi::shim_frame_bool(frame, slot)),
                _ => return Ok(None),
            }))
        }
    }

    fn tensor(&self, slot: u32) -> Result<Tensor, Failure> {
        let mut tensor = ptr::null_mut();
        // SAFETY: as in `get`; the new tensor belongs to this call.
        unsafe {
            check(ffi::shim_frame_tensor(self.raw.as_ptr(), slot, &mut tensor))?;
            Ok(Tensor::from_raw(tensor))
        }
    }

    /// Empties slots that no later step reads.
    pub fn release(&mut self, slots: &[u32]) {
        if !slots.is_empty() {
            // SAFETY: slots come from the plan that sized the frame.
            unsafe { ffi::shim_frame_release(self.as_mut_ptr(), slots.as_ptr(), slots.len()) }
        }
    }

    pub(super) fn as_ptr(&self) -> *const ffi::Frame {
        self.raw.as_ptr()
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut ffi::Frame {
        self.raw.as_ptr()
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        // SAFETY: this value owns the frame.
        unsafe { ffi::shim_frame_free(self.raw.as_ptr()) }
    }
}
