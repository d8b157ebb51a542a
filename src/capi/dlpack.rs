//! Tensors from and to DLPack, the exchange format of array libraries (dmlc/dlpack, version 1).

use super::error::pt2_error;
use super::guard::{guard, put, required};
use super::tensor::pt2_tensor;
use crate::Error;
use crate::torch::Tensor;

/// `DLManagedTensorVersioned` of `dlpack/dlpack.h`.
#[repr(C)]
#[derive(Debug)]
pub struct DLManagedTensorVersioned {
    version: DLPackVersion,
}

#[repr(C)]
#[derive(Debug)]
struct DLPackVersion {
    major: u32,
    minor: u32,
}

/// Takes over a DLPack tensor without copying it.
///
/// On success `managed` belongs to libpt2, which calls its deleter when the last tensor on its memory is freed,
/// from whichever thread that is. On an error it still belongs to the caller. The major version must be 1.
/// `tensor` receives a handle that the caller frees with `pt2_tensor_free`.
///
/// # Safety
/// `managed` is a valid `DLManagedTensorVersioned` that nobody else frees; `tensor` can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_tensor_from_dlpack(
    managed: *mut DLManagedTensorVersioned,
    tensor: *mut *mut pt2_tensor,
) -> *mut pt2_error {
    // SAFETY: the caller's promises.
    guard(|| unsafe {
        let version = &required(managed, "managed")?.version;
        required(tensor, "tensor")?;
        if version.major != 1 {
            let what = format!("DLPack {}.{}; version 1 is", version.major, version.minor);
            return Err(Error::Unsupported { what });
        }
        let taken = Tensor::from_dlpack(managed.cast());
        let taken =
            taken.map_err(|f| f.into_error(|reason| Error::Argument { argument: "managed", reason }))?;
        put(tensor, "tensor", pt2_tensor::give(taken, std::ptr::null_mut()))
    })
}

/// Gives a tensor out as DLPack without copying it.
///
/// `managed` receives a new `DLManagedTensorVersioned`, which shares the memory and keeps it alive; whoever uses
/// it calls its deleter. `tensor` is borrowed and stays the caller's. On CUDA the work that fills the memory may
/// still be queued on the stream of the run.
///
/// # Safety
/// `tensor` is NULL or a tensor that was not freed; `managed` can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_tensor_to_dlpack(
    tensor: *const pt2_tensor,
    managed: *mut *mut DLManagedTensorVersioned,
) -> *mut pt2_error {
    // SAFETY: the caller's promises.
    guard(|| unsafe {
        let shared = required(tensor, "tensor")?.share();
        required(managed, "managed")?;
        let given = shared.to_dlpack();
        let given =
            given.map_err(|f| f.into_error(|reason| Error::Argument { argument: "tensor", reason }))?;
        put(managed, "managed", given.cast())
    })
}
