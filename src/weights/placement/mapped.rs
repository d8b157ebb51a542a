//! Weights in host memory: the archive's own pages, or copies where these are unaligned.

use super::BYTE;
use crate::Result;
use crate::archive::Slice;
use crate::torch::{Device, Release, Tensor};
use libc::c_void;

/// Alignment of CPU memory that kernels rely on (`gAlignment` in `c10/core/alignment.h`, 2.11).
pub const ALIGNMENT: usize = 64;

/// Returns the storages as tensors of bytes.
pub fn place(storages: &[Slice]) -> Result<Vec<Tensor>> {
    let place = |slice: &Slice| aligned_copy(slice)?.map_or_else(|| in_place(slice), Ok);
    storages.iter().map(place).collect()
}

/// Wraps the archive's own memory in a tensor, which keeps it alive.
fn in_place(slice: &Slice) -> Result<Tensor> {
    let context = Box::into_raw(Box::new(slice.clone())).cast::<c_void>();
    let release = Release { function: drop_slice, context };
    let (data, size) = (slice.as_mut_ptr().cast(), slice.len() as i64);
    // SAFETY: `context` owns a clone of the slice, which keeps the bytes alive until libtorch calls
    // `drop_slice`.
    let made = unsafe { Tensor::from_memory(data, &[size], &[1], BYTE, Device::Cpu, Some(release)) };
    made.map_err(|failure| {
        // SAFETY: libtorch takes ownership of the box only on success, so this function frees it
        // once.
        unsafe { drop_slice(context) };
        failure.outside_node()
    })
}

/// # Safety
/// `context` must be a leaked `Box<Slice>` that is freed nowhere else.
unsafe extern "C" fn drop_slice(context: *mut c_void) {
    // SAFETY: `in_place` leaked the box. libtorch calls this once, or `in_place` does on failure.
    drop(unsafe { Box::from_raw(context.cast::<Slice>()) });
}

/// Copies bytes that are unaligned in the archive. None if they are aligned.
fn aligned_copy(slice: &Slice) -> Result<Option<Tensor>> {
    if slice.as_ptr().addr().is_multiple_of(ALIGNMENT) || slice.is_empty() {
        return Ok(None);
    }
    let copy =
        Tensor::empty(&[slice.len() as i64], BYTE, Device::Cpu, false).map_err(|f| f.outside_node())?;
    // SAFETY: the copy was allocated with exactly this size, and a new allocation does not overlap
    // the slice.
    unsafe { std::ptr::copy_nonoverlapping(slice.as_ptr(), copy.view().data.cast(), slice.len()) };
    Ok(Some(copy))
}
