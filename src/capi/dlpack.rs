//! Tensors from and to DLPack, the exchange format of array libraries (dmlc/dlpack, version 1).

use super::error::pt2_error;
use super::guard::{array, guard, put, required, usable};
use super::tensor::{on_memory, pt2_tensor, rank_within};
use crate::program::schema::ScalarType;
use crate::torch::{Device, Release};
use crate::{Error, Result};
use libc::c_void;

/// `DLManagedTensorVersioned` of `dlpack/dlpack.h`.
#[repr(C)]
#[derive(Debug)]
pub struct DLManagedTensorVersioned {
    version: DLPackVersion,
    manager: *mut c_void,
    deleter: Option<unsafe extern "C" fn(*mut DLManagedTensorVersioned)>,
    flags: u64,
    tensor: DLTensor,
}

#[repr(C)]
#[derive(Debug)]
struct DLPackVersion {
    major: u32,
    minor: u32,
}

#[repr(C)]
#[derive(Debug)]
struct DLTensor {
    data: *mut c_void,
    device_type: i32,
    device_index: i32,
    rank: i32,
    type_code: u8,
    type_bits: u8,
    type_lanes: u16,
    sizes: *const i64,
    strides: *const i64,
    byte_offset: u64,
}

/// Imports a DLPack tensor without a copy.
///
/// `managed` is a tensor of DLPack version 1 on the CPU or a CUDA device, whose deleter has not
/// run. Memory marked as read-only is not protected from a program that writes to its inputs. The
/// rules of pt2_tensor_from_memory() for addresses, sizes and strides apply.
///
/// # Parameters
/// - `managed`: The DLPack tensor.
/// - `tensor` (out): Receives the handle.
///
/// # Returns
/// NULL on success. On failure, an error owned by the caller; `*tensor` stays unmodified,
/// no deleter is called and `managed` still belongs to the caller.
///
/// Errors:
///
/// - `PT2_ERROR_ARGUMENT`: fields contradict each other. Examples are a negative rank or size, NULL
///   data with a byte offset, and an offset that leaves the address space.
/// - `PT2_ERROR_UNSUPPORTED`: another major version of DLPack, or an element type that PyTorch does
///   not have.
/// - `PT2_ERROR_DEVICE`: another device.
///
/// # Ownership
/// On success `managed` belongs to libpt2, which calls its deleter once, when the last tensor on
/// the memory is freed. The caller owns the handle and frees it with pt2_tensor_free().
///
/// # Thread safety
/// Thread-safe. The deleter runs on the thread that drops the last reference.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_tensor_from_dlpack(
    managed: *mut DLManagedTensorVersioned,
    tensor: *mut *mut pt2_tensor,
) -> *mut pt2_error {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    // Only the version is read before it is known: another major version may have another layout after it.
    guard(|| unsafe {
        usable(tensor, "tensor")?;
        let DLPackVersion { major, minor } = required(managed.cast::<DLPackVersion>(), "managed")?;
        if *major != 1 {
            let what = format!("DLPack {major}.{minor}; version 1 is");
            return Err(Error::Unsupported { what });
        }
        let given = &required(managed, "managed")?.tensor;
        let rank = rank_of(given)?;
        let sizes = array(given.sizes, rank, "managed")?;
        let strides =
            if given.strides.is_null() { None } else { Some(array(given.strides, rank, "managed")?) };
        let data = first_element(given)?;
        let release = Release { function: delete, context: managed.cast() };
        let made = on_memory(data, dtype_of(given)?, sizes, strides, device_of(given)?, Some(release))
            .map_err(blame_managed)?;
        put(tensor, "tensor", made)
    })
}

/// Exports a tensor as DLPack without a copy.
///
/// On CUDA, the work that fills the memory may still be queued on the stream of the run.
///
/// # Parameters
/// - `tensor`: The tensor. Must not be NULL.
/// - `managed` (out): Receives a new `DLManagedTensorVersioned` on the same memory.
///
/// # Returns
/// NULL on success. On failure, an error owned by the caller; `*managed` stays unmodified.
///
/// # Ownership
/// `tensor` is borrowed and may be freed at once. `managed` keeps the memory alive until its
/// deleter is called, by its consumer.
///
/// # Thread safety
/// Thread-safe.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_tensor_to_dlpack(
    tensor: *const pt2_tensor,
    managed: *mut *mut DLManagedTensorVersioned,
) -> *mut pt2_error {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    guard(|| unsafe {
        let shared = required(tensor, "tensor")?.share();
        usable(managed, "managed")?;
        let given = shared.to_dlpack();
        let given =
            given.map_err(|f| f.into_error(|reason| Error::Argument { argument: "tensor", reason }))?;
        put(managed, "managed", given.cast())
    })
}

/// Calls the deleter of the DLPack tensor that is the context.
unsafe extern "C" fn delete(context: *mut c_void) {
    let managed = context.cast::<DLManagedTensorVersioned>();
    // SAFETY: libpt2 owns the tensor since the import, and releases it once.
    unsafe {
        if let Some(deleter) = (*managed).deleter {
            deleter(managed);
        }
    }
}

fn refuse(reason: String) -> Error {
    Error::Argument { argument: "managed", reason }
}

/// Attributes the error of a field to the argument `managed`.
fn blame_managed(error: Error) -> Error {
    match error {
        Error::Argument { argument, reason } => refuse(format!("its {argument}: {reason}")),
        other => other,
    }
}

fn rank_of(tensor: &DLTensor) -> Result<usize> {
    let rank =
        usize::try_from(tensor.rank).map_err(|_| refuse(format!("it has {} dimensions", tensor.rank)))?;
    rank_within(rank).map_err(blame_managed)
}

/// Returns the address of the first element: data plus byte offset.
fn first_element(tensor: &DLTensor) -> Result<*mut c_void> {
    let DLTensor { data, byte_offset: offset, .. } = *tensor;
    if data.is_null() && offset != 0 {
        return Err(refuse(format!("its data is NULL, but its byte offset is {offset}")));
    }
    let place = usize::try_from(offset).ok().and_then(|offset| data.addr().checked_add(offset));
    let wraps = || refuse(format!("its data {data:p} and byte offset {offset} leave the address space"));
    place.map(|place| data.with_addr(place)).ok_or_else(wraps)
}

fn device_of(tensor: &DLTensor) -> Result<Device> {
    let (kind, index) = (tensor.device_type, tensor.device_index);
    let device = match (kind, u16::try_from(index)) {
        (1, _) => Device::Cpu,
        (2, Ok(index)) => Device::Cuda(index),
        _ => {
            let reason = "it is neither the CPU nor a CUDA device".into();
            return Err(Error::Device { device: format!("DLPack {kind}:{index}"), reason });
        }
    };
    device.require().map(|()| device)
}

fn dtype_of(tensor: &DLTensor) -> Result<ScalarType> {
    use ScalarType::*;
    let DLTensor { type_code: code, type_bits: bits, type_lanes: lanes, .. } = *tensor;
    Ok(match (code, bits, lanes) {
        (0, 8, 1) => Char,
        (0, 16, 1) => Short,
        (0, 32, 1) => Int,
        (0, 64, 1) => Long,
        (1, 8, 1) => Byte,
        (1, 16, 1) => UInt16,
        (1, 32, 1) => UInt32,
        (1, 64, 1) => UInt64,
        (2, 16, 1) => Half,
        (2, 32, 1) => Float,
        (2, 64, 1) => Double,
        (4, 16, 1) => BFloat16,
        (5, 32, 1) => ComplexHalf,
        (5, 64, 1) => ComplexFloat,
        (5, 128, 1) => ComplexDouble,
        (6, 8, 1) => Bool,
        (10, 8, 1) => Float8E4M3Fn,
        (11, 8, 1) => Float8E4M3FnUz,
        (12, 8, 1) => Float8E5M2,
        (13, 8, 1) => Float8E5M2FnUz,
        (14, 8, 1) => Float8E8M0Fnu,
        _ => {
            return Err(Error::Unsupported {
                what: format!("DLPack elements of code {code}, {bits} bits, {lanes} lanes"),
            });
        }
    })
}
