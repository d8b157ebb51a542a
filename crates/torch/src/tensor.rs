//! Tensors: memory with a dtype, sizes and strides on a device.

use super::failure::{FailureKind, check};
use super::{Device, Failure, Scalar, dtype_from_torch, dtype_to_torch, ffi};
use libc::c_void;
use pt2_format::program::schema::ScalarType;
use pt2_format::{Error, Result};
use std::fmt;
use std::ops::Range;
use std::ptr;
use torch_sys::C_tensor;

/// A tensor of libtorch, shared by reference counting.
pub struct Tensor(tch::Tensor);

// SAFETY: libtorch counts references atomically, and every method that takes `&self` only reads the tensor's
// description, which nothing changes after the tensor is made.
unsafe impl Sync for Tensor {}

/// What to call when the last tensor on a caller's memory is gone.
#[derive(Clone, Copy, Debug)]
pub struct Release {
    /// Called once with `context`, from whichever thread lets go last.
    pub function: unsafe extern "C" fn(*mut c_void),
    /// Handed to `function`.
    pub context: *mut c_void,
}

/// A tensor's description; borrows from the tensor.
#[derive(Clone, Copy, Debug)]
pub struct TensorView<'a> {
    /// Sizes, in elements. Empty for a scalar and for a tensor without strides.
    pub sizes: &'a [i64],
    /// Strides, in elements.
    pub strides: &'a [i64],
    /// The first element, on the tensor's device.
    pub data: *mut c_void,
    /// How many elements there are.
    pub elements: i64,
    /// How many bytes they take when dense.
    pub bytes: i64,
    /// The number of the dtype in libtorch; -1 for an undefined tensor.
    pub dtype: i32,
    /// Where the memory is; None for a kind of device this library does not know.
    pub device: Option<Device>,
    /// Whether it is an ordinary strided tensor.
    pub strided: bool,
}

impl TensorView<'_> {
    /// Whether an element of one may lie where an element of the other does.
    pub fn overlaps(&self, other: &TensorView) -> bool {
        let (ours, theirs) = (self.reach(), other.reach());
        ours.start < theirs.end && theirs.start < ours.end
    }

    /// The addresses from the first byte to the last, gaps included.
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
    /// A tensor on memory of the caller's. Strides are in elements; `dtype` is libtorch's number.
    ///
    /// # Safety
    /// The memory must hold every element that sizes and strides reach, on `device`, until `release` is
    /// called, or for as long as any tensor on it lives where there is none.
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
        // SAFETY: the caller vouches for the memory; sizes and strides outlive the call.
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

    /// Uninitialised memory; `pinned` makes host memory that a CUDA device reads directly.
    pub fn empty(sizes: &[i64], dtype: i32, device: Device, pinned: bool) -> Result<Tensor, Failure> {
        // SAFETY: sizes outlive the call.
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

    /// A dense tensor on the host with these elements, row-major and in the order of this machine's bytes.
    pub fn from_bytes(dtype: ScalarType, sizes: &[i64], bytes: &[u8]) -> Result<Tensor> {
        let tensor = Tensor::empty(sizes, dtype_to_torch(dtype), Device::Cpu, false)
            .map_err(|failure| failure.into_error(|reason| Error::Argument { argument: "sizes", reason }))?;
        let view = tensor.view();
        if view.bytes != bytes.len() as i64 {
            let reason = format!("{} of them, {dtype} of sizes {sizes:?} take {}", bytes.len(), view.bytes);
            return Err(Error::Argument { argument: "bytes", reason });
        }
        if !bytes.is_empty() {
            // SAFETY: the new tensor is dense, so its memory has room for `view.bytes` bytes, which was compared
            // above; nobody else knows that memory yet.
            unsafe { view.data.cast::<u8>().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        }
        Ok(tensor)
    }

    /// The elements, row-major and in the order of this machine's bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let dense = self.dense_on(Device::Cpu).map_err(Failure::outside_node)?;
        let view = dense.view();
        let sparse = || Error::Unsupported { what: "bytes of a tensor that is not strided".into() };
        let count = usize::try_from(view.bytes).ok().filter(|_| view.strided).ok_or_else(sparse)?;
        if count == 0 {
            return Ok(Vec::new());
        }
        // SAFETY: a dense host tensor has this many bytes from its first element on, and `dense` keeps them
        // alive; they are copied before it goes.
        Ok(unsafe { std::slice::from_raw_parts(view.data.cast::<u8>(), count) }.to_vec())
    }

    /// A tensor of `sizes.len()` dimensions that starts `offset` bytes into this one's memory and keeps it alive. The
    /// caller has checked that it fits. A `trained` one is a parameter that requires gradients, which libtorch's
    /// matrix products look at, although none are recorded.
    pub fn part(
        &self,
        offset: i64,
        sizes: &[i64],
        strides: &[i64],
        dtype: i32,
        trained: bool,
    ) -> Result<Tensor, Failure> {
        // SAFETY: sizes and strides outlive the call; the base tensor is shared by the new one.
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

    /// A 0-d int64 on the CPU.
    pub fn from_int(value: i64) -> Tensor {
        Tensor(tch::Tensor::from(value))
    }

    /// A 0-d float64 on the CPU.
    pub fn from_float(value: f64) -> Tensor {
        Tensor(tch::Tensor::from(value))
    }

    /// A 0-d bool on the CPU.
    pub fn from_bool(value: bool) -> Tensor {
        Tensor(tch::Tensor::from(value))
    }

    /// Takes a tensor over from `tch`.
    pub fn from_tch(tensor: tch::Tensor) -> Tensor {
        Tensor(tensor)
    }

    /// The tensor as `tch` knows it.
    pub fn as_tch(&self) -> &tch::Tensor {
        &self.0
    }

    /// A new `DLManagedTensorVersioned` on this tensor's memory; whoever receives it calls its deleter.
    pub fn to_dlpack(&self) -> Result<*mut c_void, Failure> {
        let mut managed = ptr::null_mut();
        // SAFETY: the tensor is valid.
        check(unsafe { ffi::shim_tensor_to_dlpack(self.as_ptr(), &mut managed) })?;
        Ok(managed)
    }

    /// The same values, dense and row-major, on a device; the same memory when they already are.
    pub fn dense_on(&self, device: Device) -> Result<Tensor, Failure> {
        // SAFETY: the tensor is valid.
        Tensor::made(|out| unsafe {
            ffi::shim_tensor_dense(self.as_ptr(), device.torch_type(), device.torch_index(), out)
        })
    }

    /// Copies `from` into this tensor's memory, without waiting where the device allows it.
    pub fn fill_from(&mut self, from: &Tensor, non_blocking: bool) -> Result<(), Failure> {
        // SAFETY: both tensors are valid; libtorch checks that their sizes agree.
        check(unsafe { ffi::shim_tensor_copy(self.0.as_mut_ptr(), from.as_ptr(), non_blocking) })
    }

    /// Uninitialised memory with the same sizes, strides, dtype and device.
    pub fn like(&self) -> Result<Tensor, Failure> {
        // SAFETY: the tensor is valid.
        Tensor::made(|out| unsafe { ffi::shim_tensor_like(self.as_ptr(), out) })
    }

    /// A second tensor on the same memory: operators that change sizes and strides in place do not reach this one.
    pub fn alias(&self) -> Result<Tensor, Failure> {
        self.0.f_alias().map(Tensor).map_err(|error| Failure::of_tch(&error))
    }

    /// The same elements in memory of their own.
    pub fn copied(&self) -> Result<Tensor, Failure> {
        // SAFETY: the tensor is valid.
        Tensor::made(|out| unsafe { ffi::shim_tensor_copied(self.as_ptr(), out) })
    }

    /// Keeps the orders that the weight of a convolution had for the calls that came, where both are such weights.
    pub fn copy_prepacking(&self, before: &Tensor) -> Result<(), Failure> {
        // SAFETY: both tensors are valid.
        check(unsafe { ffi::shim_tensor_copy_prepacking(self.as_ptr(), before.as_ptr()) })
    }

    /// The same elements with other strides, in memory of their own.
    pub fn laid_out(&self, strides: &[i64]) -> Result<Tensor, Failure> {
        debug_assert_eq!(self.view().sizes.len(), strides.len());
        // SAFETY: the tensor is valid, and there is a stride for each of its dimensions.
        Tensor::made(|out| unsafe { ffi::shim_tensor_laid_out(self.as_ptr(), strides.as_ptr(), out) })
    }

    /// Copies `from` into this tensor's memory; on the CPU only pages that hold something else are written to.
    pub fn fill_changed(&mut self, from: &Tensor) -> Result<(), Failure> {
        // SAFETY: both tensors are valid; libtorch checks that their sizes agree.
        check(unsafe { ffi::shim_tensor_fill_changed(self.as_ptr(), from.as_ptr()) })
    }

    /// Copies the elements of `from` into this tensor's memory unless they are there already.
    pub fn write_back(&self, from: &Tensor) -> Result<(), Failure> {
        // SAFETY: both tensors are valid; whoever runs a program that writes to this memory vouches for it.
        check(unsafe { ffi::shim_tensor_write_back(self.as_ptr(), from.as_ptr()) })
    }

    /// Whether each element has one place, without gaps between them.
    pub fn fills_its_memory(&self) -> bool {
        // SAFETY: the tensor is valid.
        unsafe { ffi::shim_tensor_fills_its_memory(self.as_ptr()) }
    }

    /// The same values as a tensor whose memory holds the elements as they are, which a handle can describe. Lazy
    /// conjugates, lazy negatives and zeros without memory are computed into new memory; any other tensor is
    /// returned as it is. Nested, sparse, quantised and wrapper tensors are errors.
    pub fn plain(&self) -> Result<Tensor, Failure> {
        // SAFETY: the tensor is valid.
        Tensor::made(|out| unsafe { ffi::shim_tensor_plain(self.as_ptr(), out) })?.with_names()
    }

    /// The tensor if this library has a name for its dtype and its device.
    fn with_names(self) -> Result<Tensor, Failure> {
        let view = self.view();
        let refuse = |message: String| Err(Failure { kind: FailureKind::Failed, message });
        match (dtype_from_torch(view.dtype), view.device) {
            (None, _) => refuse(format!("a tensor of libtorch's dtype {}", view.dtype)),
            (_, None) => refuse("a tensor on a device that is neither the CPU nor CUDA".into()),
            _ => Ok(self),
        }
    }

    /// Whether its memory holds the elements as they are: it is strided, and no lazy conjugate or negative.
    pub fn is_plain(&self) -> bool {
        // SAFETY: the tensor is valid.
        unsafe { ffi::shim_tensor_is_plain(self.as_ptr()) }
    }

    /// Whether both lie in one storage.
    pub fn shares_memory(&self, other: &Tensor) -> bool {
        // SAFETY: both tensors are valid.
        unsafe { ffi::shim_tensor_shares_memory(self.as_ptr(), other.as_ptr()) }
    }

    /// The tensor's description.
    pub fn view(&self) -> TensorView<'_> {
        let mut raw = std::mem::MaybeUninit::<ffi::TensorView>::uninit();
        // SAFETY: the shim fills every field; its pointers live as long as the tensor, which `self` borrows.
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

    /// The number in a tensor of one int, float or bool on the CPU.
    pub fn number(&self) -> Option<Scalar> {
        let view = self.view();
        if view.device != Some(Device::Cpu) || !view.strided || view.elements != 1 || view.data.is_null() {
            return None;
        }
        // SAFETY: one element of the dtype is at `data`, in host memory that the tensor keeps alive.
        unsafe {
            Some(match dtype_from_torch(view.dtype)? {
                ScalarType::Long => Scalar::Int(view.data.cast::<i64>().read_unaligned()),
                ScalarType::Int => Scalar::Int(i64::from(view.data.cast::<i32>().read_unaligned())),
                ScalarType::Double => Scalar::Float(view.data.cast::<f64>().read_unaligned()),
                ScalarType::Float => Scalar::Float(f64::from(view.data.cast::<f32>().read_unaligned())),
                ScalarType::Bool => Scalar::Bool(view.data.cast::<u8>().read_unaligned() != 0),
                _ => return None,
            })
        }
    }

    pub(super) fn as_ptr(&self) -> *const C_tensor {
        self.0.as_ptr()
    }

    /// # Safety
    /// `raw` must be a tensor that the shim made for this call alone.
    pub(super) unsafe fn from_raw(raw: *mut C_tensor) -> Tensor {
        // SAFETY: the caller's promise.
        Tensor(unsafe { tch::Tensor::from_ptr(raw) })
    }

    pub(super) fn made(
        make: impl FnOnce(*mut *mut C_tensor) -> *mut ffi::ShimError,
    ) -> Result<Tensor, Failure> {
        let mut raw = ptr::null_mut();
        check(make(&mut raw))?;
        // SAFETY: the shim reported success, so it made a new tensor.
        Ok(unsafe { Tensor::from_raw(raw) })
    }
}

/// # Safety
/// A pointer that is not NULL must lead to `count` elements that live for `'a`.
unsafe fn slice<'a>(data: *const i64, count: usize) -> &'a [i64] {
    if data.is_null() || count == 0 {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts(data, count) }
}

impl Clone for Tensor {
    fn clone(&self) -> Tensor {
        // SAFETY: the tensor is valid; the shim returns NULL only when memory is short.
        let raw = unsafe { ffi::shim_tensor_clone(self.as_ptr()) };
        if raw.is_null() {
            std::alloc::handle_alloc_error(std::alloc::Layout::new::<usize>());
        }
        // SAFETY: the shim made it for this call.
        unsafe { Tensor::from_raw(raw) }
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

    #[test]
    fn bytes_are_those_of_the_values() {
        let bytes: Vec<u8> = [1.0f32, 2.0, 3.0, 4.0].iter().flat_map(|part| part.to_le_bytes()).collect();
        let tensor = Tensor::from_bytes(ScalarType::ComplexFloat, &[2], &bytes).unwrap();
        let conjugate = Tensor::from_tch(tensor.as_tch().f_conj().unwrap()).to_bytes().unwrap();
        let expected = [1.0f32, -2.0, 3.0, -4.0].map(f32::to_le_bytes);
        assert_eq!(conjugate, expected.as_flattened());
    }
}
