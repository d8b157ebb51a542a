//! Tensors as handles.

use super::error::{c_text, pt2_error};
use super::guard::{array, guard, guard_or, guard_quietly, optional_text, put, required, usable};
use crate::program::schema::ScalarType;
use crate::torch::{self, Device, Release, Scope, Tensor};
use crate::weights::extent;
use crate::{Error, Result};
use libc::{c_char, c_void};
use std::ffi::CString;
use std::ptr;

/// The element type of a tensor.
///
/// The numbers up to 32 are those of `ScalarType` in `torch/_export/serde/schema.py` of PyTorch
/// 2.11. That file has no numbers for the three types above.
///
/// Since 0.1.0.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub enum pt2_dtype {
    /// `torch.uint8`.
    /// Since 0.1.0.
    PT2_DTYPE_UINT8 = 1,
    /// `torch.int8`.
    /// Since 0.1.0.
    PT2_DTYPE_INT8 = 2,
    /// `torch.int16`.
    /// Since 0.1.0.
    PT2_DTYPE_INT16 = 3,
    /// `torch.int32`.
    /// Since 0.1.0.
    PT2_DTYPE_INT32 = 4,
    /// `torch.int64`.
    /// Since 0.1.0.
    PT2_DTYPE_INT64 = 5,
    /// `torch.float16`, IEEE half precision.
    /// Since 0.1.0.
    PT2_DTYPE_FLOAT16 = 6,
    /// `torch.float32`, IEEE single precision.
    /// Since 0.1.0.
    PT2_DTYPE_FLOAT32 = 7,
    /// `torch.float64`, IEEE double precision.
    /// Since 0.1.0.
    PT2_DTYPE_FLOAT64 = 8,
    /// `torch.complex32`, two numbers of half precision.
    /// Since 0.1.0.
    PT2_DTYPE_COMPLEX32 = 9,
    /// `torch.complex64`, two numbers of single precision.
    /// Since 0.1.0.
    PT2_DTYPE_COMPLEX64 = 10,
    /// `torch.complex128`, two numbers of double precision.
    /// Since 0.1.0.
    PT2_DTYPE_COMPLEX128 = 11,
    /// `torch.bool`, one byte that is 0 or 1.
    /// Since 0.1.0.
    PT2_DTYPE_BOOL = 12,
    /// `torch.bfloat16`, the upper half of a `torch.float32`.
    /// Since 0.1.0.
    PT2_DTYPE_BFLOAT16 = 13,
    /// `torch.uint16`.
    /// Since 0.1.0.
    PT2_DTYPE_UINT16 = 28,
    /// `torch.float8_e4m3fn`.
    /// Since 0.1.0.
    PT2_DTYPE_FLOAT8_E4M3FN = 29,
    /// `torch.float8_e5m2`.
    /// Since 0.1.0.
    PT2_DTYPE_FLOAT8_E5M2 = 30,
    /// `torch.float8_e4m3fnuz`.
    /// Since 0.1.0.
    PT2_DTYPE_FLOAT8_E4M3FNUZ = 31,
    /// `torch.float8_e5m2fnuz`.
    /// Since 0.1.0.
    PT2_DTYPE_FLOAT8_E5M2FNUZ = 32,
    /// `torch.float8_e8m0fnu`.
    /// Since 0.1.0.
    PT2_DTYPE_FLOAT8_E8M0FNU = 33,
    /// `torch.uint32`.
    /// Since 0.1.0.
    PT2_DTYPE_UINT32 = 34,
    /// `torch.uint64`.
    /// Since 0.1.0.
    PT2_DTYPE_UINT64 = 35,
}

/// Releases the memory that a tensor was made on.
///
/// libpt2 calls the function once, with the context that came with it, when libpt2 no longer uses
/// the memory. The call comes from whichever thread drops the last reference. It must not call
/// libpt2 and must not throw.
///
/// # Parameters
/// - `context`: The `release_context` of pt2_tensor_from_memory().
///
/// Since 0.1.0.
pub type pt2_release = Option<unsafe extern "C" fn(context: *mut c_void)>;

/// A tensor: memory with an element type, sizes and strides on a device.
///
/// Handles share memory by reference counting. Any number of threads may read one handle at the
/// same time. Every other use is limited to one thread at a time.
///
/// Since 0.1.0.
#[derive(Debug)]
pub struct pt2_tensor {
    tensor: Tensor,
    device: CString,
    stream: *mut c_void,
}

// SAFETY: the stream is only a name for the driver, which any thread may use.
unsafe impl Send for pt2_tensor {}
// SAFETY: as above; the tensor itself is shared by atomic reference counts.
unsafe impl Sync for pt2_tensor {}

impl pt2_tensor {
    /// Hands a tensor to the caller; `stream` is where the work that fills it is queued.
    pub(super) fn give(tensor: Tensor, stream: *mut c_void) -> *mut pt2_tensor {
        let device = tensor.view().device.map_or_else(String::new, |device| device.to_string());
        Box::into_raw(Box::new(pt2_tensor { device: c_text(&device), tensor, stream }))
    }

    /// Work that was queued on this stream fills it now.
    pub(super) fn follow(&mut self, stream: *mut c_void) {
        self.stream = stream;
    }

    /// The same memory for a call.
    pub(super) fn share(&self) -> Tensor {
        self.tensor.clone()
    }
}

/// Makes a tensor on memory of the caller, without a copy.
///
/// The memory must hold every element that the sizes and strides reach. Addresses above 2^63 are
/// refused. If an operator needs a stricter alignment than the element type, libpt2 copies the
/// input.
///
/// # Parameters
/// - `data`: The first element, aligned to the size of one element. A complex number is one
///   element. May be NULL if the tensor has no elements.
/// - `dtype`: The element type, a `pt2_dtype`.
/// - `sizes`: `rank` sizes.
/// - `strides`: `rank` strides, counted in elements and not negative. NULL for a contiguous
///   tensor.
/// - `rank`: The number of dimensions.
/// - `device`: The device that the memory belongs to. NULL means `"cpu"`. For a CUDA device,
///   memory that CUDA does not know is refused.
/// - `release`: Called once, when the last tensor on the memory is freed. May be NULL.
/// - `release_context`: Passed to `release`.
/// - `tensor` (out): Receives the handle.
///
/// # Returns
/// NULL on success. On failure, an error owned by the caller; `release` is never called and
/// `*tensor` stays unmodified.
///
/// # Ownership
/// The memory is borrowed until `release` is called. If `release` is NULL, it is borrowed until the
/// tensor and all outputs that share its memory are freed. Sizes, strides and strings are copied.
/// The caller owns the handle and frees it with pt2_tensor_free().
///
/// # Thread safety
/// Thread-safe. `release` runs on the thread that drops the last reference.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_tensor_from_memory(
    data: *mut c_void,
    dtype: i32,
    sizes: *const i64,
    strides: *const i64,
    rank: usize,
    device: *const c_char,
    release: pt2_release,
    release_context: *mut c_void,
    tensor: *mut *mut pt2_tensor,
) -> *mut pt2_error {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    guard(|| unsafe {
        usable(tensor, "tensor")?;
        let dtype = dtype_named(dtype)?;
        let sizes = array(sizes, rank_within(rank)?, "sizes")?;
        let strides = if strides.is_null() { None } else { Some(array(strides, rank, "strides")?) };
        let device = device_named(optional_text(device, "device")?)?;
        let release = release.map(|function| Release { function, context: release_context });
        put(tensor, "tensor", on_memory(data, dtype, sizes, strides, device, release)?)
    })
}

/// Makes a 0-d int64 tensor on the CPU, to pass an int.
///
/// # Parameters
/// - `value`: The value.
/// - `tensor` (out): Receives the handle.
///
/// # Returns
/// NULL on success. On failure, an error owned by the caller; `*tensor` stays unmodified.
///
/// # Ownership
/// The caller owns the handle and frees it with pt2_tensor_free().
///
/// # Thread safety
/// Thread-safe.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_tensor_from_int(value: i64, tensor: *mut *mut pt2_tensor) -> *mut pt2_error {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    guard(|| unsafe { put_new(tensor, || Tensor::from_int(value)) })
}

/// Makes a 0-d float64 tensor on the CPU, to pass a float.
///
/// # Parameters
/// - `value`: The value.
/// - `tensor` (out): Receives the handle.
///
/// # Returns
/// NULL on success. On failure, an error owned by the caller; `*tensor` stays unmodified.
///
/// # Ownership
/// The caller owns the handle and frees it with pt2_tensor_free().
///
/// # Thread safety
/// Thread-safe.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_tensor_from_float(value: f64, tensor: *mut *mut pt2_tensor) -> *mut pt2_error {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    guard(|| unsafe { put_new(tensor, || Tensor::from_float(value)) })
}

/// Makes a 0-d bool tensor on the CPU, to pass a bool.
///
/// # Parameters
/// - `value`: The value.
/// - `tensor` (out): Receives the handle.
///
/// # Returns
/// NULL on success. On failure, an error owned by the caller; `*tensor` stays unmodified.
///
/// # Ownership
/// The caller owns the handle and frees it with pt2_tensor_free().
///
/// # Thread safety
/// Thread-safe.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_tensor_from_bool(value: bool, tensor: *mut *mut pt2_tensor) -> *mut pt2_error {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    guard(|| unsafe { put_new(tensor, || Tensor::from_bool(value)) })
}

/// Returns the element type of a tensor.
///
/// # Parameters
/// - `tensor`: The tensor, or NULL.
///
/// # Returns
/// A `pt2_dtype`. 0 for NULL, and for a type that has no number here.
///
/// # Ownership
/// `tensor` is borrowed.
///
/// # Thread safety
/// Thread-safe: any number of threads may read a tensor at the same time.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_tensor_dtype(tensor: *const pt2_tensor) -> i32 {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    let tensor = || unsafe { tensor.as_ref() };
    guard_or(0, || {
        tensor().and_then(|t| torch::dtype_from_torch(t.tensor.view().dtype)).map_or(0, |d| d as i32)
    })
}

/// Returns the number of dimensions of a tensor.
///
/// # Parameters
/// - `tensor`: The tensor, or NULL.
///
/// # Returns
/// The number of dimensions. 0 for NULL.
///
/// # Ownership
/// `tensor` is borrowed.
///
/// # Thread safety
/// Thread-safe: any number of threads may read a tensor at the same time.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_tensor_rank(tensor: *const pt2_tensor) -> usize {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    guard_or(0, || unsafe { tensor.as_ref() }.map_or(0, |tensor| tensor.tensor.view().sizes.len()))
}

/// Returns the sizes of a tensor.
///
/// # Parameters
/// - `tensor`: The tensor, or NULL.
///
/// # Returns
/// An array with one size for each dimension. NULL for NULL.
///
/// # Ownership
/// `tensor` is borrowed. The array is valid until the handle is freed.
///
/// # Thread safety
/// Thread-safe: any number of threads may read a tensor at the same time.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_tensor_sizes(tensor: *const pt2_tensor) -> *const i64 {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    let tensor = || unsafe { tensor.as_ref() };
    guard_or(ptr::null(), || tensor().map_or(ptr::null(), |tensor| tensor.tensor.view().sizes.as_ptr()))
}

/// Returns the strides of a tensor, counted in elements.
///
/// # Parameters
/// - `tensor`: The tensor, or NULL.
///
/// # Returns
/// An array with one stride for each dimension. NULL for NULL.
///
/// # Ownership
/// `tensor` is borrowed. The array is valid until the handle is freed.
///
/// # Thread safety
/// Thread-safe: any number of threads may read a tensor at the same time.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_tensor_strides(tensor: *const pt2_tensor) -> *const i64 {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    let tensor = || unsafe { tensor.as_ref() };
    guard_or(ptr::null(), || tensor().map_or(ptr::null(), |tensor| tensor.tensor.view().strides.as_ptr()))
}

/// Returns the address of the first element of a tensor, on its device.
///
/// A tensor is not always contiguous: use its strides, which are 0 where a dimension was expanded,
/// or pt2_tensor_to_host(). The memory holds the elements themselves: PyTorch's lazy conjugates and
/// lazy negatives are already resolved.
///
/// # Parameters
/// - `tensor`: The tensor, or NULL.
///
/// # Returns
/// The address. NULL for NULL, and for a tensor without elements.
///
/// # Ownership
/// `tensor` is borrowed. The memory is valid until the handle is freed.
///
/// # Thread safety
/// Thread-safe: any number of threads may read the memory at the same time. The caller synchronises
/// writes to it, also with calls that use it.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_tensor_data(tensor: *const pt2_tensor) -> *mut c_void {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    let tensor = || unsafe { tensor.as_ref() };
    guard_or(ptr::null_mut(), || tensor().map_or(ptr::null_mut(), |tensor| tensor.tensor.view().data))
}

/// Returns the device of a tensor, such as `cpu` or `cuda:0`.
///
/// # Parameters
/// - `tensor`: The tensor, or NULL.
///
/// # Returns
/// A NUL-terminated string. NULL for NULL.
///
/// # Ownership
/// `tensor` is borrowed. The string is valid until the handle is freed.
///
/// # Thread safety
/// Thread-safe: any number of threads may read a tensor at the same time.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_tensor_device(tensor: *const pt2_tensor) -> *const c_char {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    guard_or(ptr::null(), || unsafe { tensor.as_ref() }.map_or(ptr::null(), |tensor| tensor.device.as_ptr()))
}

/// Returns a contiguous tensor on the CPU with the same values.
///
/// Waits until the work that fills the tensor is done.
///
/// # Parameters
/// - `tensor`: The tensor. Must not be NULL.
/// - `host` (out): Receives a new handle.
///
/// # Returns
/// NULL on success. On failure, an error owned by the caller; `*host` stays unmodified.
///
/// # Ownership
/// `tensor` is borrowed. The caller owns the new handle and frees it with pt2_tensor_free(). It
/// shares the memory of `tensor` if that is contiguous and on the CPU already.
///
/// # Thread safety
/// Thread-safe: any number of threads may read a tensor at the same time.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_tensor_to_host(
    tensor: *const pt2_tensor,
    host: *mut *mut pt2_tensor,
) -> *mut pt2_error {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    guard(|| unsafe {
        let source = required(tensor, "tensor")?;
        usable(host, "host")?;
        let device = source.tensor.view().device.unwrap_or(Device::Cpu);
        let _scope = Scope::enter(device, source.stream).map_err(|failure| failure.outside_node())?;
        let copied = source.tensor.dense_on(Device::Cpu).map_err(|failure| failure.outside_node())?;
        put(host, "host", pt2_tensor::give(copied, ptr::null_mut()))
    })
}

/// Makes a second handle on the same memory.
///
/// # Parameters
/// - `tensor`: The tensor. Must not be NULL.
/// - `shared` (out): Receives the new handle.
///
/// # Returns
/// NULL on success. On failure, an error owned by the caller; `*shared` stays unmodified.
///
/// # Ownership
/// `tensor` is borrowed. The caller owns the new handle and frees it with pt2_tensor_free(). The
/// memory is valid until the last handle is freed.
///
/// # Thread safety
/// Thread-safe: any number of threads may read a tensor at the same time.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_tensor_share(
    tensor: *const pt2_tensor,
    shared: *mut *mut pt2_tensor,
) -> *mut pt2_error {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    guard(|| unsafe {
        let source = required(tensor, "tensor")?;
        usable(shared, "shared")?;
        put(shared, "shared", pt2_tensor::give(source.share(), source.stream))
    })
}

/// Frees a tensor handle.
///
/// The memory stays valid while another handle or tensor shares it.
///
/// # Parameters
/// - `tensor`: The handle to free. NULL does nothing.
///
/// # Ownership
/// Takes ownership of `tensor`, which must not be used or freed again.
///
/// # Thread safety
/// Any thread may free a handle. Not thread-safe: no other thread may use the handle during the
/// call.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_tensor_free(tensor: *mut pt2_tensor) {
    guard_quietly(|| {
        if !tensor.is_null() {
            // SAFETY: `give` made it with Box::into_raw, and the C caller frees it once.
            drop(unsafe { Box::from_raw(tensor) });
        }
    });
}

/// A handle on memory that is not copied. On an error `release` is not called.
///
/// # Safety
/// The memory holds every element that sizes and strides reach until `release` is called, or for as long as any
/// tensor on it lives where there is none.
pub(super) unsafe fn on_memory(
    data: *mut c_void,
    dtype: ScalarType,
    sizes: &[i64],
    strides: Option<&[i64]>,
    device: Device,
    release: Option<Release>,
) -> Result<*mut pt2_tensor> {
    let dense = dense_strides(sizes)?;
    let strides = strides.unwrap_or(&dense);
    extent::fits(dtype, sizes, strides, 0, u64::MAX)
        .map_err(|reason| Error::Argument { argument: "sizes", reason })?;
    require_memory(data, dtype, sizes)?;
    require_addresses(data, dtype, sizes, strides)?;
    // SAFETY: the caller upholds the conditions under "Safety".
    let made =
        unsafe { Tensor::from_memory(data, sizes, strides, torch::dtype_to_torch(dtype), device, release) };
    let made = made.map_err(|f| f.into_error(|reason| Error::Argument { argument: "data", reason }))?;
    Ok(pt2_tensor::give(made, ptr::null_mut()))
}

/// # Safety
/// `place` is NULL or can be written to.
unsafe fn put_new(place: *mut *mut pt2_tensor, make: impl FnOnce() -> Result<Tensor>) -> Result<()> {
    // SAFETY: the caller upholds the conditions under "Safety".
    unsafe {
        usable(place, "tensor")?;
        put(place, "tensor", pt2_tensor::give(make()?, ptr::null_mut()))
    }
}

fn dtype_named(number: i32) -> Result<ScalarType> {
    let unknown = || Error::Argument { argument: "dtype", reason: format!("{number} is no pt2_dtype") };
    ScalarType::try_from(i64::from(number)).map_err(|_| unknown())
}

fn device_named(text: Option<&str>) -> Result<Device> {
    let device: Device =
        text.unwrap_or("cpu").parse().map_err(|reason| Error::Argument { argument: "device", reason })?;
    device.require().map(|()| device)
}

pub(super) fn rank_within(rank: usize) -> Result<usize> {
    let reason = || format!("{rank} dimensions, at most {} are supported", extent::MAX_RANK);
    if rank > extent::MAX_RANK {
        Err(Error::Argument { argument: "rank", reason: reason() })
    } else {
        Ok(rank)
    }
}

/// Row-major strides, as PyTorch counts them: a size of zero counts as one.
fn dense_strides(sizes: &[i64]) -> Result<Vec<i64>> {
    let mut strides = vec![1i64; sizes.len()];
    let mut step = 1i64;
    for (stride, size) in strides.iter_mut().zip(sizes).rev() {
        *stride = step;
        let reason = || format!("sizes {sizes:?} multiply to more elements than can be counted");
        step = step
            .checked_mul((*size).max(1))
            .ok_or_else(|| Error::Argument { argument: "sizes", reason: reason() })?;
    }
    Ok(strides)
}

/// No allocation and no address of a process lies above `isize::MAX`.
fn require_addresses(data: *mut c_void, dtype: ScalarType, sizes: &[i64], strides: &[i64]) -> Result<()> {
    let space = (isize::MAX as u64).checked_sub(data.addr() as u64);
    let fits = space.ok_or_else(String::new).and_then(|space| extent::fits(dtype, sizes, strides, 0, space));
    let reason = || {
        format!("a tensor of sizes {sizes:?} and strides {strides:?} at {data:p} leaves the address space")
    };
    if sizes.contains(&0) {
        Ok(())
    } else {
        fits.map_err(|_| Error::Argument { argument: "data", reason: reason() })
    }
}

fn require_memory(data: *mut c_void, dtype: ScalarType, sizes: &[i64]) -> Result<()> {
    let refuse = |reason: String| Err(Error::Argument { argument: "data", reason });
    // Complex numbers too: libtorch's are aligned to both of their parts (c10/util/complex.h, 2.11).
    let alignment = dtype.size_in_bytes();
    match data.addr() {
        _ if sizes.contains(&0) => Ok(()),
        0 => refuse("it is NULL, but the tensor has elements".into()),
        address if !address.is_multiple_of(alignment) => {
            refuse(format!("{dtype} must be aligned to {alignment} bytes"))
        }
        _ => Ok(()),
    }
}
