//! Weights in host memory: the archive's own pages wherever they are aligned as libtorch aligns its own.

use super::{BYTE, Verification};
use crate::Result;
use crate::archive::Slice;
use crate::torch::{Device, Release, Tensor};
use libc::c_void;

/// What `c10/core/alignment.h` (2.11, `gAlignment`) promises kernels of CPU memory.
pub const ALIGNMENT: usize = 64;

/// The storages as bytes.
pub fn place(storages: &[Slice], verify: bool) -> Result<Vec<Tensor>> {
    if verify {
        Verification::begin(storages.to_vec()).finish()?;
    }
    let place = |slice: &Slice| aligned_copy(slice)?.map_or_else(|| in_place(slice), Ok);
    storages.iter().map(place).collect()
}

/// The archive's own memory, which the tensor keeps alive.
fn in_place(slice: &Slice) -> Result<Tensor> {
    let context = Box::into_raw(Box::new(slice.clone())).cast::<c_void>();
    let release = Release { function: drop_slice, context };
    let (data, size) = (slice.as_mut_ptr().cast(), slice.len() as i64);
    // SAFETY: the slice's bytes live until `drop_slice` runs.
    let made = unsafe { Tensor::from_memory(data, &[size], &[1], BYTE, Device::Cpu, Some(release)) };
    made.map_err(|failure| {
        // SAFETY: libtorch took nothing over, so the box is still this call's.
        unsafe { drop_slice(context) };
        failure.outside_node()
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
    let copy =
        Tensor::empty(&[slice.len() as i64], BYTE, Device::Cpu, false).map_err(|f| f.outside_node())?;
    // SAFETY: the copy was just made with room for exactly these bytes.
    unsafe { std::ptr::copy_nonoverlapping(slice.as_ptr(), copy.view().data.cast(), slice.len()) };
    Ok(Some(copy))
}
