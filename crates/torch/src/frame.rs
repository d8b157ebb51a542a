//! Frame: the values of one call, by slot.

use super::{Device, Failure, Tensor, Working, Workspace, ffi};
use ffi::SlotTag;
use std::ptr::NonNull;

/// Slots that operators read and write, and the workspace they allocate from. One call uses it at a
/// time.
#[derive(Debug)]
pub struct Frame {
    raw: NonNull<ffi::Frame>,
    workspace: Option<Workspace>,
}

// SAFETY: changes need `&mut`, and libtorch counts references to the values atomically.
unsafe impl Send for Frame {}

/// Value of a slot that is not empty.
#[derive(Debug)]
pub enum SlotValue {
    /// Tensor.
    Tensor(Tensor),
    /// Size or int.
    Int(i64),
    /// Float.
    Float(f64),
    /// Bool.
    Bool(bool),
}

impl Frame {
    /// Creates a frame of empty slots.
    pub fn new(slots: usize) -> Result<Frame, Failure> {
        // SAFETY: the call takes a number, and returns NULL if memory is exhausted.
        let raw = NonNull::new(unsafe { ffi::shim_frame_new(slots) }).ok_or_else(Failure::exhausted)?;
        Ok(Frame { raw, workspace: None })
    }

    /// Makes this thread allocate from the frame's workspace until the returned value is dropped.
    ///
    /// None on a CUDA device, where libtorch's own allocator caches memory.
    pub fn work(&mut self, device: Device) -> Option<Working> {
        (device == Device::Cpu).then(|| self.workspace.get_or_insert_with(Workspace::default).enter())
    }

    /// Stores a tensor in a slot; the frame shares it.
    pub fn set_tensor(&mut self, slot: u32, tensor: &Tensor) {
        // SAFETY: the plan that sized the frame assigns the slots, and the tensor is valid.
        unsafe { ffi::shim_frame_set_tensor(self.as_mut_ptr(), slot, tensor.as_ptr()) }
    }

    /// Stores an int in a slot.
    pub fn set_int(&mut self, slot: u32, value: i64) {
        // SAFETY: the plan that sized the frame assigns the slots.
        unsafe { ffi::shim_frame_set_int(self.as_mut_ptr(), slot, value) }
    }

    /// Stores a float in a slot.
    pub fn set_float(&mut self, slot: u32, value: f64) {
        // SAFETY: the plan that sized the frame assigns the slots.
        unsafe { ffi::shim_frame_set_float(self.as_mut_ptr(), slot, value) }
    }

    /// Stores a bool in a slot.
    pub fn set_bool(&mut self, slot: u32, value: bool) {
        // SAFETY: the plan that sized the frame assigns the slots.
        unsafe { ffi::shim_frame_set_bool(self.as_mut_ptr(), slot, value) }
    }

    /// Returns the value of a slot; None for an empty one, for Python's None and for an undefined
    /// tensor.
    pub fn get(&self, slot: u32) -> Result<Option<SlotValue>, Failure> {
        let frame = self.raw.as_ptr();
        // SAFETY: the plan that sized the frame assigns the slots, and each reader is called for
        // its own tag.
        unsafe {
            Ok(Some(match ffi::shim_frame_tag(frame, slot) {
                SlotTag::Tensor => SlotValue::Tensor(self.tensor(slot)?),
                SlotTag::Int => SlotValue::Int(ffi::shim_frame_int(frame, slot)),
                SlotTag::Float => SlotValue::Float(ffi::shim_frame_float(frame, slot)),
                SlotTag::Bool => SlotValue::Bool(ffi::shim_frame_bool(frame, slot)),
                SlotTag::None | SlotTag::Other => return Ok(None),
            }))
        }
    }

    fn tensor(&self, slot: u32) -> Result<Tensor, Failure> {
        // SAFETY: the slot is in range as in `get`.
        Tensor::made(|out| unsafe { ffi::shim_frame_tensor(self.raw.as_ptr(), slot, out) })
    }

    /// Empties slots that no later step reads.
    #[inline]
    pub fn release(&mut self, slots: &[u32]) {
        if !slots.is_empty() {
            // SAFETY: the plan that sized the frame assigns the slots.
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
