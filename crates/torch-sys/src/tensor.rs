//! Tensors: creation on existing memory, properties and copies.

use crate::ShimError;
use libc::c_void;

/// Owned reference to a tensor: an `at::Tensor` on the heap.
pub enum AtTensor {}

/// Properties of a tensor. The pointers live as long as the tensor.
///
/// `sizes`, `strides` and `data` are NULL for a tensor that is not strided.
#[repr(C)]
pub struct TensorView {
    /// `rank` sizes.
    pub sizes: *const i64,
    /// `rank` strides, in elements.
    pub strides: *const i64,
    /// The first element; NULL without a storage.
    pub data: *mut c_void,
    /// Number of dimensions.
    pub rank: usize,
    /// Number of elements.
    pub elements: i64,
    /// Size of all elements.
    pub bytes: i64,
    /// -1 for an undefined tensor.
    pub dtype: i32,
    /// Type of the device.
    pub device_type: i32,
    /// Index of the device; 0 on the CPU.
    pub device_index: i32,
    /// -1 for a nested tensor, which libtorch calls strided although it has no strides.
    pub layout: i32,
}

unsafe extern "C" {
    /// Reads a tensor's properties. A tensor that libtorch cannot describe is reported as undefined.
    pub fn shim_tensor_view(tensor: *const AtTensor, view: *mut TensorView);

    /// Creates a tensor on the caller's memory.
    ///
    /// `release(context)` is called once, when the last tensor on the memory is freed; never if this
    /// call fails.
    pub fn shim_tensor_from_blob(
        data: *mut c_void,
        sizes: *const i64,
        strides: *const i64,
        rank: usize,
        dtype: i32,
        device_type: i32,
        device_index: i32,
        release: Option<unsafe extern "C" fn(*mut c_void)>,
        context: *mut c_void,
        out: *mut *mut AtTensor,
    ) -> *mut ShimError;

    /// Allocates an uninitialised tensor; `pinned` is page-locked host memory.
    pub fn shim_tensor_empty(
        sizes: *const i64,
        rank: usize,
        dtype: i32,
        device_type: i32,
        device_index: i32,
        pinned: bool,
        out: *mut *mut AtTensor,
    ) -> *mut ShimError;

    /// Creates a view of `base`'s storage: `offset` in bytes, sizes and strides in elements of `dtype`.
    ///
    /// A `trained` view requires gradients, as the parameter of a module does.
    pub fn shim_tensor_view_of(
        base: *const AtTensor,
        offset: i64,
        sizes: *const i64,
        strides: *const i64,
        rank: usize,
        dtype: i32,
        trained: bool,
        out: *mut *mut AtTensor,
    ) -> *mut ShimError;

    /// Copies elements.
    pub fn shim_tensor_copy(to: *mut AtTensor, from: *const AtTensor, non_blocking: bool) -> *mut ShimError;

    /// Returns a contiguous tensor on a device; it shares memory with a tensor that already is one.
    pub fn shim_tensor_dense(
        tensor: *const AtTensor,
        device_type: i32,
        device_index: i32,
        out: *mut *mut AtTensor,
    ) -> *mut ShimError;

    /// Exports a tensor as `DLManagedTensorVersioned`, which shares its memory.
    pub fn shim_tensor_to_dlpack(tensor: *const AtTensor, out: *mut *mut c_void) -> *mut ShimError;

    /// Returns another reference to a tensor; NULL if host memory is exhausted.
    pub fn shim_tensor_clone(tensor: *const AtTensor) -> *mut AtTensor;

    /// Frees a reference to a tensor.
    pub fn shim_tensor_free(tensor: *mut AtTensor);

    /// Returns a new tensor with the same storage, sizes and strides.
    pub fn shim_tensor_alias(tensor: *const AtTensor, out: *mut *mut AtTensor) -> *mut ShimError;

    /// Allocates an uninitialised tensor of the same sizes, strides, dtype and device.
    pub fn shim_tensor_like(tensor: *const AtTensor, out: *mut *mut AtTensor) -> *mut ShimError;

    /// Copies a tensor to new memory.
    pub fn shim_tensor_copied(tensor: *const AtTensor, out: *mut *mut AtTensor) -> *mut ShimError;

    /// Copies a tensor to new memory with other strides, one for each dimension.
    pub fn shim_tensor_laid_out(
        tensor: *const AtTensor,
        strides: *const i64,
        out: *mut *mut AtTensor,
    ) -> *mut ShimError;

    /// Copies elements. On the CPU only pages that differ are written to: the others may be mapped from
    /// a file.
    pub fn shim_tensor_fill_changed(to: *const AtTensor, from: *const AtTensor) -> *mut ShimError;

    /// Copies elements unless all are equal: other threads may read equal memory.
    pub fn shim_tensor_write_back(to: *const AtTensor, from: *const AtTensor) -> *mut ShimError;

    /// Prepacks a oneDNN weight in the format of another. Does nothing to other tensors.
    pub fn shim_tensor_copy_prepacking(tensor: *const AtTensor, other: *const AtTensor) -> *mut ShimError;

    /// Returns true if elements do not overlap and have no gaps between them.
    pub fn shim_tensor_fills_its_memory(tensor: *const AtTensor) -> bool;

    /// Returns true if a tensor is strided and its elements are in its storage.
    pub fn shim_tensor_is_plain(tensor: *const AtTensor) -> bool;

    /// Returns a plain tensor with the same elements; fails for kinds of tensors that have none.
    pub fn shim_tensor_plain(tensor: *const AtTensor, out: *mut *mut AtTensor) -> *mut ShimError;

    /// Returns true if two tensors have the same storage, or if libtorch cannot say.
    pub fn shim_tensor_shares_memory(tensor: *const AtTensor, other: *const AtTensor) -> bool;
}
