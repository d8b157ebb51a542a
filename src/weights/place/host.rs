//! Weights in host memory: the archive's own pages wherever they are aligned as libtorch aligns its own.

use super::{Storages, byte_offset, in_parallel, over};
use crate::archive::Slice;
use crate::torch::{Device, Release, Tensor, dtype_to_torch};
use crate::weights::pickle::SavedTensor;
use crate::{Error, Result};
use libc::c_void;
use std::collections::HashMap;

/// What `c10/core/alignment.h` (2.11, `gAlignment`) promises kernels of CPU memory.
const ALIGNMENT: usize = 64;

pub fn place(tensors: &[SavedTensor], storages: &Storages, verify: bool) -> Result<HashMap<String, Tensor>> {
    if verify {
        in_parallel(storages.slices(), || Ok(()), |(), slice| slice.verify())?;
    }
    let copies: Vec<Option<Tensor>> = storages.slices().iter().map(aligned_copy).collect::<Result<_>>()?;
    storages
        .number(tensors)
        .map(|(tensor, number)| {
            let placed = match copies.get(number).and_then(Option::as_ref) {
                Some(copy) => over(copy, 0, tensor)?,
                None => in_place(tensor)?,
            };
            Ok((tensor.name.clone(), placed))
        })
        .collect()
}

/// A tensor on the archive's memory, which it keeps alive.
fn in_place(tensor: &SavedTensor) -> Result<Tensor> {
    let context = Box::into_raw(Box::new(tensor.storage.clone())).cast::<c_void>();
    let release = Release { function: drop_slice, context };
    let data = tensor.storage.as_mut_ptr().wrapping_offset(byte_offset(tensor) as isize).cast();
    let dtype = dtype_to_torch(tensor.dtype);
    // SAFETY: the tensor's sizes, strides and offset were checked against its storage when it was read, and
    // the storage lives until `drop_slice` runs.
    let made = unsafe {
        Tensor::from_memory(data, &tensor.sizes, &tensor.strides, dtype, Device::Cpu, Some(release))
    };
    made.map_err(|failure| {
        // SAFETY: libtorch took nothing over, so the box is still this call's.
        unsafe { drop_slice(context) };
        failure.into_error(|reason| Error::Weight { name: tensor.name.clone(), reason })
    })
}

/// # Safety
/// `context` must be a leaked `Box<Slice>` that nobody else frees.
unsafe extern "C" fn drop_slice(context: *mut c_void) {
    // SAFETY: the caller's promise.
    drop(unsafe { Box::from_raw(context.cast::<Slice>()) });
}

/// Bytes that the archive holds at an odd address are copied once: kernels may rely on the alignment.
fn aligned_copy(slice: &Slice) -> Result<Option<Tensor>> {
    if slice.as_ptr().addr().is_multiple_of(ALIGNMENT) || slice.is_empty() {
        return Ok(None);
    }
    let copy = Tensor::empty(&[slice.len() as i64], 0, Device::Cpu, false).map_err(|f| f.outside_node())?;
    // SAFETY: the copy was just made with room for exactly these bytes.
    unsafe { std::ptr::copy_nonoverlapping(slice.as_ptr(), copy.view().data.cast(), slice.len()) };
    Ok(Some(copy))
}
