//! Tensors: memory with a dtype, sizes and strides on a device.

use super::failure::{FailureKind, check};
use super::{Device, Failure, SlotValue, dtype_from_torch, dtype_to_torch, ffi};
use ffi::AtTensor;
use libc::c_void;
use pt2_format::program::schema::ScalarType;
use pt2_format::{Error, Result};
use std::fmt;
use std::ops::Range;
use std::ptr::{self, NonNull};

/// Tensor of libtorch, shared by reference counting.
pub struct Tensor(NonNull<AtTensor>);

// SAFETY: any thread may free a reference: libtorch counts them atomically.
unsafe impl Send for Tensor {}
// SAFETY: libtorch counts references atomically. Methods that take `&self` only read the
// description, which never changes after construction.
unsafe impl Sync for Tensor {}

/// Callback for when the last tensor on a caller's memory is dropped.
#[derive(Clone, Copy, Debug)]
pub struct Release {
    /// Called once with `context`, on the thread that drops the last tensor.
    pub function: unsafe extern "C" fn(*mut c_void),
    /// Argument of `function`.
    pub context: *mut c_void,
}

/// Description of a tensor, borrowed from it.
#[derive(Clone, Copy, Debug)]
pub struct TensorView<'a> {
    /// Sizes, in elements. Empty for a scalar and for a tensor without strides.
    pub sizes: &'a [i64],
    /// Strides, in elements.
    pub strides: &'a [i64],
    /// Address of the first element, on the tensor's device.
    pub data: *mut c_void,
    /// Number of elements.
    pub elements: i64,
    /// Size of the dense elements in bytes.
    pub bytes: i64,
    /// libtorch's number of the dtype; -1 for an undefined tensor.
    pub dtype: i32,
    /// Device of the memory; None for an unsupported type of device.
    pub device: Option<Device>,
    /// True for an ordinary strided tensor.
    pub strided: bool,
}

impl TensorView<'_> {
    /// Returns true if the address ranges of both overlap, so that elements may.
    pub fn overlaps(&self, other: &TensorView) -> bool {
        let (ours, theirs) = (self.reach(), other.reach());
        ours.start < theirs.end && theirs.start < ours.end
    }

    /// Returns the addresses from the first byte to the last, including gaps.
    pub fn reach(&self) -> Range<usize> {
        let start = self.data.addr();
        if self.elements == 0 {
            return start..start;
        }
        let steps = self.sizes.iter().zip(self.strides).map(|(size, stride)| (size - 1) * stride);
        let item = self.bytes / self.elements;
        start..start + ((steps.sum::<i64>() + 1) * item) as usize
    }
}

impl Tensor {
    /// Makes a tensor on the caller's memory. Strides are in elements; `dtype` is libtorch's
    /// number.
    ///
    /// # Safety
    /// The memory must hold every element that sizes and strides reach, on `device`, until
    /// `release` is called. Without `release`, it must do so as long as any tensor on it lives.
    pub unsafe fn from_memory(
        data: *mut c_void,
        sizes: &[i64],
        strides: &[i64],
        dtype: i32,
        device: Device,
        release: Option<Release>,
    ) -> Result<Tensor, Failure> {
        debug_assert_eq!(sizes.len(), strides.len());
        let context = release.map_or(ptr::null_mut(), |release| release.context);
        // SAFETY: the memory is valid by this function's contract, and sizes and strides outlive
        // the call.
        Tensor::made(|out| unsafe {
            ffi::shim_tensor_from_blob(
                data,
                sizes.as_ptr(),
                strides.as_ptr(),
                sizes.len(),
                dtype,
                device.torch_type(),
                device.torch_index(),
                release.map(|release| release.function),
                context,
                out,
            )
        })
    }

    /// Allocates an uninitialised tensor. `pinned` allocates page-locked host memory, which a CUDA
    /// device reads directly.
    pub fn empty(sizes: &[i64], dtype: i32, device: Device, pinned: bool) -> Result<Tensor, Failure> {
        // SAFETY: the sizes outlive the call.
        Tensor::made(|out| unsafe {
            ffi::shim_tensor_empty(
                sizes.as_ptr(),
                sizes.len(),
                dtype,
                device.torch_type(),
                device.torch_index(),
                pinned,
                out,
            )
        })
    }

    /// Makes a contiguous tensor on the host from elements in native byte order.
    pub fn from_bytes(dtype: ScalarType, sizes: &[i64], bytes: &[u8]) -> Result<Tensor> {
        let tensor = Tensor::empty(sizes, dtype_to_torch(dtype), Device::Cpu, false)
            .map_err(|failure| failure.into_error(|reason| Error::Argument { argument: "sizes", reason }))?;
        let view = tensor.view();
        if view.bytes != bytes.len() as i64 {
            let reason = format!("{} of them, {dtype} of sizes {sizes:?} take {}", bytes.len(), view.bytes);
            return Err(Error::Argument { argument: "bytes", reason });
        }
        if !bytes.is_empty() {
            // SAFETY: the new tensor is dense and has exactly the compared number of bytes. No
            // other code refers to its memory yet.
            unsafe { view.data.cast::<u8>().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        }
        Ok(tensor)
    }

    /// Returns the elements, contiguous and in native byte order.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let dense = self.dense_on(Device::Cpu).map_err(Failure::outside_node)?;
        let view = dense.view();
        let sparse = || Error::Unsupported { what: "bytes of a tensor that is not strided".into() };
        let count = usize::try_from(view.bytes).ok().filter(|_| view.strided).ok_or_else(sparse)?;
        if count == 0 {
            return Ok(Vec::new());
        }
        // SAFETY: a dense host tensor has this many bytes from its first element on. `dense` keeps
        // them alive until they are copied.
        Ok(unsafe { std::slice::from_raw_parts(view.data.cast::<u8>(), count) }.to_vec())
    }

    /// Makes a tensor on this tensor's memory, `offset` bytes from its start, and keeps the memory
    /// alive.
    ///
    /// The caller must have checked that it fits. A `trained` one is a parameter that requires
    /// gradients. No gradients are recorded, but libtorch's matrix products choose their path by
    /// this flag.
    pub fn part(
        &self,
        offset: i64,
        sizes: &[i64],
        strides: &[i64],
        dtype: i32,
        trained: bool,
    ) -> Result<Tensor, Failure> {
        // SAFETY: sizes and strides outlive the call, and the new tensor shares ownership of the
        // memory.
        Tensor::made(|out| unsafe {
            ffi::shim_tensor_view_of(
                self.as_ptr(),
                offset,
                sizes.as_ptr(),
                strides.as_ptr(),
                sizes.len(),
                dtype,
                trained,
                out,
            )
        })
    }

    /// Makes a 0-d int64 on the CPU.
    pub fn from_int(value: i64) -> Result<Tensor> {
        Tensor::from_bytes(ScalarType::Long, &[], &value.to_ne_bytes())
    }

    /// Makes a 0-d float64 on the CPU.
    pub fn from_float(value: f64) -> Result<Tensor> {
        Tensor::from_bytes(ScalarType::Double, &[], &value.to_ne_bytes())
    }

    /// Makes a 0-d bool on the CPU.
    pub fn from_bool(value: bool) -> Result<Tensor> {
        Tensor::from_bytes(ScalarType::Bool, &[], &[u8::from(value)])
    }

    /// Returns a new `DLManagedTensorVersioned` on this tensor's memory. Its receiver must call its
    /// deleter.
    pub fn to_dlpack(&self) -> Result<*mut c_void, Failure> {
        let mut managed = ptr::null_mut();
        // SAFETY: the tensor is valid.
        check(unsafe { ffi::shim_tensor_to_dlpack(self.as_ptr(), &mut managed) })?;
        Ok(managed)
    }

    /// Returns the same values, contiguous on a device. Shares the memory if they already are.
    pub fn dense_on(&self, device: Device) -> Result<Tensor, Failure> {
        // SAFETY: the tensor is valid.
        Tensor::made(|out| unsafe {
            ffi::shim_tensor_dense(self.as_ptr(), device.torch_type(), device.torch_index(), out)
        })
    }

    /// Copies `from` into this tensor's memory. `non_blocking` copies asynchronously where the
    /// device allows it.
    pub fn fill_from(&mut self, from: &Tensor, non_blocking: bool) -> Result<(), Failure> {
        // SAFETY: both tensors are valid, and libtorch checks their sizes.
        check(unsafe { ffi::shim_tensor_copy(self.0.as_ptr(), from.as_ptr(), non_blocking) })
    }

    /// Allocates an uninitialised tensor with the same sizes, strides, dtype and device.
    pub fn like(&self) -> Result<Tensor, Failure> {
        // SAFETY: the tensor is valid.
        Tensor::made(|out| unsafe { ffi::shim_tensor_like(self.as_ptr(), out) })
    }

    /// Returns a second tensor on the same memory. In-place changes of its sizes and strides do not
    /// affect this one.
    pub fn alias(&self) -> Result<Tensor, Failure> {
        // SAFETY: the tensor is valid.
        Tensor::made(|out| unsafe { ffi::shim_tensor_alias(self.as_ptr(), out) })
    }

    /// Copies the elements to a new tensor with memory of its own.
    pub fn copied(&self) -> Result<Tensor, Failure> {
        // SAFETY: the tensor is valid.
        Tensor::made(|out| unsafe { ffi::shim_tensor_copied(self.as_ptr(), out) })
    }

    /// Prepacks this convolution weight for the input sizes that calls used `before` with.
    ///
    /// Does nothing unless both are such weights.
    pub fn copy_prepacking(&self, before: &Tensor) -> Result<(), Failure> {
        // SAFETY: both tensors are valid.
        check(unsafe { ffi::shim_tensor_copy_prepacking(self.as_ptr(), before.as_ptr()) })
    }

    /// Copies the elements to a new tensor with other strides.
    pub fn laid_out(&self, strides: &[i64]) -> Result<Tensor, Failure> {
        debug_assert_eq!(self.view().sizes.len(), strides.len());
        // SAFETY: the tensor is valid, and there is a stride for each of its dimensions.
        Tensor::made(|out| unsafe { ffi::shim_tensor_laid_out(self.as_ptr(), strides.as_ptr(), out) })
    }

    /// Copies `from` into this tensor's memory. On the CPU, it writes only to pages that differ.
    pub fn fill_changed(&mut self, from: &Tensor) -> Result<(), Failure> {
        // SAFETY: both tensors are valid, and libtorch checks their sizes.
        check(unsafe { ffi::shim_tensor_fill_changed(self.as_ptr(), from.as_ptr()) })
    }

    /// Copies the elements of `from` into this tensor's memory, unless they are equal.
    pub fn write_back(&self, from: &Tensor) -> Result<(), Failure> {
        // SAFETY: both tensors are valid. The caller of libpt2 permits writes to this input by
        // running a program that mutates it.
        check(unsafe { ffi::shim_tensor_write_back(self.as_ptr(), from.as_ptr()) })
    }

    /// Returns true if the elements neither overlap nor have gaps between them.
    pub fn fills_its_memory(&self) -> bool {
        // SAFETY: the tensor is valid.
        unsafe { ffi::shim_tensor_fills_its_memory(self.as_ptr()) }
    }

    /// Returns the same values in a form that a handle can describe: strided, with elements in
    /// memory.
    ///
    /// Lazy conjugates, lazy negatives and zeros without memory are computed into new memory. All
    /// other strided tensors are returned unchanged. Nested, sparse, quantised and wrapper tensors
    /// are errors.
    pub fn plain(&self) -> Result<Tensor, Failure> {
        // SAFETY: the tensor is valid.
        Tensor::made(|out| unsafe { ffi::shim_tensor_plain(self.as_ptr(), out) })?.with_names()
    }

    /// Returns the tensor. Fails if libpt2 has no name for its dtype or device.
    fn with_names(self) -> Result<Tensor, Failure> {
        let view = self.view();
        let refuse = |message: String| Err(Failure { kind: FailureKind::Failed, message });
        match (dtype_from_torch(view.dtype), view.device) {
            (None, _) => refuse(format!("a tensor of libtorch's dtype {}", view.dtype)),
            (_, None) => refuse("a tensor on a device that is neither the CPU nor CUDA".into()),
            _ => Ok(self),
        }
    }

    /// Returns true if the tensor is strided and no lazy conjugate or negative.
    pub fn is_plain(&self) -> bool {
        // SAFETY: the tensor is valid.
        unsafe { ffi::shim_tensor_is_plain(self.as_ptr()) }
    }

    /// Returns true if both tensors have the same storage.
    pub fn shares_memory(&self, other: &Tensor) -> bool {
        // SAFETY: both tensors are valid.
        unsafe { ffi::shim_tensor_shares_memory(self.as_ptr(), other.as_ptr()) }
    }

    /// Returns the description of the tensor.
    pub fn view(&self) -> TensorView<'_> {
        let mut raw = std::mem::MaybeUninit::<ffi::TensorView>::uninit();
        // SAFETY: the shim fills every field. Its pointers live as long as the tensor, which `self`
        // borrows.
        unsafe {
            ffi::shim_tensor_view(self.as_ptr(), raw.as_mut_ptr());
            let raw = raw.assume_init();
            TensorView {
                sizes: slice(raw.sizes, raw.rank),
                strides: slice(raw.strides, raw.rank),
                data: raw.data,
                elements: raw.elements,
                bytes: raw.bytes,
                dtype: raw.dtype,
                device: Device::from_torch(raw.device_type, raw.device_index),
                strided: raw.layout == 0,
            }
        }
    }

    /// Returns the number in a tensor of one int, float or bool on the CPU.
    pub fn number(&self) -> Option<SlotValue> {
        let view = self.view();
        if view.device != Some(Device::Cpu) || !view.strided || view.elements != 1 || view.data.is_null() {
            return None;
        }
        // SAFETY: one element of the dtype is at `data`, in host memory that the tensor keeps
        // alive.
        unsafe {
            Some(match dtype_from_torch(view.dtype)? {
                ScalarType::Long => SlotValue::Int(view.data.cast::<i64>().read_unaligned()),
                ScalarType::Int => SlotValue::Int(i64::from(view.data.cast::<i32>().read_unaligned())),
                ScalarType::Double => SlotValue::Float(view.data.cast::<f64>().read_unaligned()),
                ScalarType::Float => SlotValue::Float(f64::from(view.data.cast::<f32>().read_unaligned())),
                ScalarType::Bool => SlotValue::Bool(view.data.cast::<u8>().read_unaligned() != 0),
                _ => return None,
            })
        }
    }

    /// Returns the address of the `at::Tensor`, which lives as long as this value.
    #[inline]
    pub fn as_ptr(&self) -> *const AtTensor {
        self.0.as_ptr()
    }

    /// Makes another reference to a tensor. Returns None if host memory is exhausted.
    ///
    /// # Safety
    /// `tensor` must be a valid `at::Tensor` of the libtorch in this process.
    pub unsafe fn clone_from_ptr(tensor: *const AtTensor) -> Option<Tensor> {
        // SAFETY: the tensor is valid by this function's contract.
        NonNull::new(unsafe { ffi::shim_tensor_clone(tensor) }).map(Tensor)
    }

    /// Returns the owner of a reference; None for NULL.
    ///
    /// # Safety
    /// The shim made the reference for this call alone.
    pub(super) unsafe fn from_raw(raw: *mut AtTensor) -> Option<Tensor> {
        NonNull::new(raw).map(Tensor)
    }

    pub(super) fn made(
        make: impl FnOnce(*mut *mut AtTensor) -> *mut ffi::ShimError,
    ) -> Result<Tensor, Failure> {
        let mut raw = ptr::null_mut();
        check(make(&mut raw))?;
        // SAFETY: the shim made the tensor for this call alone.
        unsafe { Tensor::from_raw(raw) }.ok_or_else(Failure::exhausted)
    }
}

/// # Safety
/// A pointer that is not NULL must lead to `count` elements that live for `'a`.
unsafe fn slice<'a>(data: *const i64, count: usize) -> &'a [i64] {
    if data.is_null() || count == 0 {
        return &[];
    }
    // SAFETY: `data` is not NULL, so it leads to `count` elements by this function's contract.
    unsafe { std::slice::from_raw_parts(data, count) }
}

impl Clone for Tensor {
    fn clone(&self) -> Tensor {
        // SAFETY: the tensor is valid.
        let copy = unsafe { Tensor::clone_from_ptr(self.as_ptr()) };
        copy.unwrap_or_else(|| std::alloc::handle_alloc_error(std::alloc::Layout::new::<usize>()))
    }
}

impl Drop for Tensor {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: this value owns the reference.
        unsafe { ffi::shim_tensor_free(self.0.as_ptr()) }
    }
}

impl fmt::Debug for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let view = self.view();
        write!(f, "Tensor(dtype {}, sizes {:?}, {:?})", view.dtype, view.sizes, view.device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_go_in_and_come_out() {
        for (sizes, count) in [(&[][..], 4), (&[3, 2], 24), (&[0, 5], 0)] {
            let bytes: Vec<u8> = (0..count).collect();
            let tensor = Tensor::from_bytes(ScalarType::Float, sizes, &bytes).unwrap();
            assert_eq!((tensor.view().sizes, tensor.to_bytes().unwrap()), (sizes, bytes));
        }
        for (sizes, count) in [(&[2][..], 7), (&[-1], 4), (&[i64::MAX, 2], 0)] {
            let refused = Tensor::from_bytes(ScalarType::Float, sizes, &vec![0; count]);
            assert!(matches!(refused, Err(Error::Argument { .. })), "{sizes:?}");
        }
    }
}
