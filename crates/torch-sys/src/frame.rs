//! Frames: the values of one call, by slot.

use crate::{AtTensor, ShimError};

/// Values of one call, by slot. Slots must be below the count of [`shim_frame_new`].
pub enum Frame {}

/// Kind of a slot's value.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotTag {
    /// Empty, Python's None or an undefined tensor.
    None,
    /// Tensor.
    Tensor,
    /// Int.
    Int,
    /// Float.
    Float,
    /// Bool.
    Bool,
    /// Anything else.
    Other,
}

unsafe extern "C" {
    /// Creates a frame of empty slots; NULL if host memory is exhausted.
    pub fn shim_frame_new(slots: usize) -> *mut Frame;

    /// Frees a frame.
    pub fn shim_frame_free(frame: *mut Frame);

    /// Stores a tensor, which the frame shares.
    pub fn shim_frame_set_tensor(frame: *mut Frame, slot: u32, tensor: *const AtTensor);

    /// Stores an int.
    pub fn shim_frame_set_int(frame: *mut Frame, slot: u32, value: i64);

    /// Stores a float.
    pub fn shim_frame_set_float(frame: *mut Frame, slot: u32, value: f64);

    /// Stores a bool.
    pub fn shim_frame_set_bool(frame: *mut Frame, slot: u32, value: bool);

    /// Returns the kind of a slot's value.
    pub fn shim_frame_tag(frame: *const Frame, slot: u32) -> SlotTag;

    /// Returns an int. The slot's tag must be [`SlotTag::Int`].
    pub fn shim_frame_int(frame: *const Frame, slot: u32) -> i64;

    /// Returns a float. The slot's tag must be [`SlotTag::Float`].
    pub fn shim_frame_float(frame: *const Frame, slot: u32) -> f64;

    /// Returns a bool. The slot's tag must be [`SlotTag::Bool`].
    pub fn shim_frame_bool(frame: *const Frame, slot: u32) -> bool;

    /// Returns a reference to a slot's tensor.
    pub fn shim_frame_tensor(frame: *const Frame, slot: u32, out: *mut *mut AtTensor) -> *mut ShimError;

    /// Empties slots.
    pub fn shim_frame_release(frame: *mut Frame, slots: *const u32, count: usize);

    /// Stores a value of one frame in another, which shares it.
    pub fn shim_frame_share(from: *const Frame, slot: u32, to: *mut Frame, to_slot: u32);

    /// Computes Python's `bool()` of a value; waits for a device. Inside a scope.
    pub fn shim_frame_is_true(frame: *const Frame, slot: u32, out: *mut bool) -> *mut ShimError;

    /// Replaces a slot's tensor by a copy. Inside a scope.
    pub fn shim_frame_unshare(frame: *mut Frame, slot: u32) -> *mut ShimError;

    /// Returns the first size of a slot's tensor. Inside a scope.
    pub fn shim_frame_rows(frame: *const Frame, slot: u32, out: *mut i64) -> *mut ShimError;

    /// Stores a row of a tensor, a view, in another frame. Inside a scope.
    pub fn shim_frame_row(
        from: *const Frame,
        slot: u32,
        row: i64,
        to: *mut Frame,
        to_slot: u32,
    ) -> *mut ShimError;

    /// Appends a tensor to a list in another frame; does nothing for None. Inside a scope.
    pub fn shim_frame_append(from: *const Frame, slot: u32, to: *mut Frame, to_slot: u32) -> *mut ShimError;

    /// Replaces a list of tensors by one tensor of them as rows. Inside a scope.
    pub fn shim_frame_stack(frame: *mut Frame, slot: u32) -> *mut ShimError;
}
