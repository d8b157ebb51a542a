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

/// The element type of a tensor. The numbers are those of `torch/_export/serde/schema.py` (2.11).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each is the PyTorch dtype of the same name")]
pub enum pt2_dtype {
    PT2_DTYPE_UINT8 = 1,
    PT2_DTYPE_INT8 = 2,
    PT2_DTYPE_INT16 = 3,
    PT2_DTYPE_INT32 = 4,
    PT2_DTYPE_INT64 = 5,
    PT2_DTYPE_FLOAT16 = 6,
    PT2_DTYPE_FLOAT32 = 7,
    PT2_DTYPE_FLOAT64 = 8,
    PT2_DTYPE_COMPLEX32 = 9,
    PT2_DTYPE_COMPLEX64 = 10,
    PT2_DTYPE_COMPLEX128 = 11,
    PT2_DTYPE_BOOL = 12,
    PT2_DTYPE_BFLOAT16 = 13,
    PT2_DTYPE_UINT16 = 28,
    PT2_DTYPE_FLOAT8_E4M3FN = 29,
    PT2_DTYPE_FLOAT8_E5M2 = 30,
    PT2_DTYPE_FLOAT8_E4M3FNUZ = 31,
    PT2_DTYPE_FLOAT8_E5M2FNUZ = 32,
    PT2_DTYPE_FLOAT8_E8M0FNU = 33,
    PT2_DTYPE_UINT32 = 34,
    PT2_DTYPE_UINT64 = 35,
}

/// Called once with the context it was given with, when libpt2 no longer uses the memory; from whichever thread
/// lets go last, so it must not call back into libpt2 and must not throw.
pub type pt2_release = Option<unsafe extern "C" fn(context: *mut c_void)>;

/// A tensor: memory with an element type, sizes and strides on a device. Handles share memory by reference
/// counting. One thread at a time may use a handle, except that any number may read it.
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

/// Makes a tensor on memory of the caller's, without a copy.
///
/// Parameters: `data` is the first element, at a multiple of the size of one element; a complex number is one element.
/// It may be NULL if there are no elements. libpt2 copies an input where an operator needs more of its address.
/// `dtype` is a `pt2_dtype`. `sizes` and `strides` have `rank` entries, which count elements; `strides` may be NULL
/// for a dense row-major tensor, and none may be negative. The memory must hold every element that sizes and
/// strides reach; addresses above 2^63 are refused. `device` says whose memory it is; NULL means `"cpu"`. `release` may be NULL; else it is called
/// once with `release_context`, when the last tensor on the memory is freed. `tensor` receives the handle.
///
/// Returns NULL, or an error, and then nothing was taken over: `release` is never called, `tensor` is untouched.
///
/// Ownership: the memory is borrowed until `release` is called or, where there is none, for as long as the tensor
/// or any output that shares its memory lives. Sizes, strides and texts are copied. The handle belongs to the
/// caller, who frees it with `pt2_tensor_free`.
///
/// Threads: any thread. `release` runs on whichever thread lets go last.
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
    // SAFETY: the caller's promises.
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

/// Makes a 0-d int64 tensor on the CPU: how an int is passed.
///
/// Returns NULL, or an error, and then `tensor` is untouched.
///
/// Ownership: the handle belongs to the caller, who frees it with `pt2_tensor_free`. Threads: any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_tensor_from_int(value: i64, tensor: *mut *mut pt2_tensor) -> *mut pt2_error {
    // SAFETY: the caller's promise.
    guard(|| unsafe { put_new(tensor, || Tensor::from_int(value)) })
}

/// Makes a 0-d float64 tensor on the CPU: how a float is passed.
///
/// Returns NULL, or an error, and then `tensor` is untouched.
///
/// Ownership: the handle belongs to the caller, who frees it with `pt2_tensor_free`. Threads: any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_tensor_from_float(value: f64, tensor: *mut *mut pt2_tensor) -> *mut pt2_error {
    // SAFETY: the caller's promise.
    guard(|| unsafe { put_new(tensor, || Tensor::from_float(value)) })
}

/// Makes a 0-d bool tensor on the CPU: how a bool is passed.
///
/// Returns NULL, or an error, and then `tensor` is untouched.
///
/// Ownership: the handle belongs to the caller, who frees it with `pt2_tensor_free`. Threads: any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_tensor_from_bool(value: bool, tensor: *mut *mut pt2_tensor) -> *mut pt2_error {
    // SAFETY: the caller's promise.
    guard(|| unsafe { put_new(tensor, || Tensor::from_bool(value)) })
}

/// The type of the tensor's elements.
///
/// Returns a `pt2_dtype`; 0 for NULL and for a type that has no number here.
///
/// Ownership: `tensor` is borrowed. Threads: any number may read a tensor at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_tensor_dtype(tensor: *const pt2_tensor) -> i32 {
    // SAFETY: the caller's promise.
    let tensor = || unsafe { tensor.as_ref() };
    guard_or(0, || {
        tensor().and_then(|t| torch::dtype_from_torch(t.tensor.view().dtype)).map_or(0, |d| d as i32)
    })
}

/// How many dimensions the tensor has.
///
/// Returns 0 for NULL.
///
/// Ownership: `tensor` is borrowed. Threads: any number may read a tensor at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_tensor_rank(tensor: *const pt2_tensor) -> usize {
    // SAFETY: the caller's promise.
    guard_or(0, || unsafe { tensor.as_ref() }.map_or(0, |tensor| tensor.tensor.view().sizes.len()))
}

/// The tensor's sizes, as many as its rank.
///
/// Returns NULL for NULL.
///
/// Ownership: the array lives as long as the handle. Threads: any number may read a tensor at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_tensor_sizes(tensor: *const pt2_tensor) -> *const i64 {
    // SAFETY: the caller's promise.
    let tensor = || unsafe { tensor.as_ref() };
    guard_or(ptr::null(), || tensor().map_or(ptr::null(), |tensor| tensor.tensor.view().sizes.as_ptr()))
}

/// The tensor's strides, counted in elements, as many as its rank.
///
/// Returns NULL for NULL.
///
/// Ownership: the array lives as long as the handle. Threads: any number may read a tensor at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_tensor_strides(tensor: *const pt2_tensor) -> *const i64 {
    // SAFETY: the caller's promise.
    let tensor = || unsafe { tensor.as_ref() };
    guard_or(ptr::null(), || tensor().map_or(ptr::null(), |tensor| tensor.tensor.view().strides.as_ptr()))
}

/// The tensor's first element, on its device. A tensor is not always dense: mind its strides, which are 0 where a
/// dimension was expanded, or use `pt2_tensor_to_host`. The memory holds the elements as they are: lazy conjugates and
/// negatives of PyTorch were computed.
///
/// Returns NULL for NULL and for a tensor without elements.
///
/// Ownership: the memory lives as long as the handle. Threads: any number may read the memory at once; writing to
/// it needs the caller's own order, also against calls that run on it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_tensor_data(tensor: *const pt2_tensor) -> *mut c_void {
    // SAFETY: the caller's promise.
    let tensor = || unsafe { tensor.as_ref() };
    guard_or(ptr::null_mut(), || tensor().map_or(ptr::null_mut(), |tensor| tensor.tensor.view().data))
}

/// The device of the tensor, such as `cpu` or `cuda:0`.
///
/// Returns NULL for NULL.
///
/// Ownership: the text lives as long as the handle. Threads: any number may read a tensor at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_tensor_device(tensor: *const pt2_tensor) -> *const c_char {
    // SAFETY: the caller's promise.
    guard_or(ptr::null(), || unsafe { tensor.as_ref() }.map_or(ptr::null(), |tensor| tensor.device.as_ptr()))
}

/// The same values, dense and row-major, on the CPU. Waits until the work that fills the tensor is done.
///
/// Parameters: `tensor` must not be NULL; `host` receives a new handle.
///
/// Returns NULL, or an error, and then `host` is untouched.
///
/// Ownership: `tensor` is borrowed. The new handle belongs to the caller, who frees it with `pt2_tensor_free`; it
/// shares the memory of `tensor` if that is dense and on the CPU already.
///
/// Threads: any number may read a tensor at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_tensor_to_host(
    tensor: *const pt2_tensor,
    host: *mut *mut pt2_tensor,
) -> *mut pt2_error {
    // SAFETY: the caller's promises.
    guard(|| unsafe {
        let source = required(tensor, "tensor")?;
        usable(host, "host")?;
        let device = source.tensor.view().device.unwrap_or(Device::Cpu);
        let _scope = Scope::enter(device, source.stream).map_err(|failure| failure.outside_node())?;
        let copied = source.tensor.dense_on(Device::Cpu).map_err(|failure| failure.outside_node())?;
        put(host, "host", pt2_tensor::give(copied, ptr::null_mut()))
    })
}

/// A second handle on the same memory.
///
/// Parameters: `tensor` must not be NULL; `shared` receives the new handle.
///
/// Returns NULL, or an error, and then `shared` is untouched.
///
/// Ownership: `tensor` is borrowed. The new handle belongs to the caller, who frees it with `pt2_tensor_free`; the
/// memory lives until the last handle is freed.
///
/// Threads: any number may read a tensor at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_tensor_share(
    tensor: *const pt2_tensor,
    shared: *mut *mut pt2_tensor,
) -> *mut pt2_error {
    // SAFETY: the caller's promises.
    guard(|| unsafe {
        let source = required(tensor, "tensor")?;
        usable(shared, "shared")?;
        put(shared, "shared", pt2_tensor::give(source.share(), source.stream))
    })
}

/// Frees a handle. The memory lives on while another handle or tensor shares it.
///
/// Parameters: `tensor` may be NULL. It must not be used or freed again.
///
/// Threads: any thread, while no other uses the handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_tensor_free(tensor: *mut pt2_tensor) {
    guard_quietly(|| {
        if !tensor.is_null() {
            // SAFETY: the caller's promise; `give` made it with Box::into_raw.
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
    // SAFETY: the caller's promise.
    let made =
        unsafe { Tensor::from_memory(data, sizes, strides, torch::dtype_to_torch(dtype), device, release) };
    let made = made.map_err(|f| f.into_error(|reason| Error::Argument { argument: "data", reason }))?;
    Ok(pt2_tensor::give(made, ptr::null_mut()))
}

/// # Safety
/// `place` is NULL or can be written to.
unsafe fn put_new(place: *mut *mut pt2_tensor, make: impl FnOnce() -> Tensor) -> Result<()> {
    // SAFETY: the caller's promise.
    unsafe {
        usable(place, "tensor")?;
        put(place, "tensor", pt2_tensor::give(make(), ptr::null_mut()))
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
    match sizes.contains(&0) {
        true => Ok(()),
        false => fits.map_err(|_| Error::Argument { argument: "data", reason: reason() }),
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
