//! Loading, with an early start of the CUDA driver.

use crate::core;
use crate::result::{Outcome, Pointer, Result};
use pt2_cuda_driver::{Context, index_of, retain};
use pt2_host::{FloatingPoint, without_cancellation};
use std::ffi::{CStr, c_char};

/// First version of `pt2_load_options`. Later versions begin with these fields, which
/// `tests/c/layout.c` checks.
#[repr(C)]
struct LoadOptions {
    struct_size: usize,
    device: *const c_char,
    model: *const c_char,
    optimization: i32,
    memory: i32,
    skip_checksums: i32,
    without_cuda: i32,
}

#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn pt2_load(path: Pointer, options: Pointer, model: Pointer) -> Outcome {
    // SAFETY: the C caller upholds the contract of `pt2_load`.
    without_cancellation(|| unsafe { load(path, options, model) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn pt2_load_from_memory(
    data: Pointer,
    size: usize,
    options: Pointer,
    model: Pointer,
) -> Outcome {
    // SAFETY: the C caller upholds the contract of `pt2_load_from_memory`.
    without_cancellation(|| unsafe { load_from_memory(data, size, options, model) })
}

/// Loads a model. Separate from the function of the ABI, which must have nothing to drop.
#[inline(never)]
unsafe extern "C" fn load(path: Pointer, options: Pointer, model: Pointer) -> Outcome {
    // SAFETY: the C caller of `pt2_load` passes NULL or valid options.
    let _context = unsafe { begin(options.cast()) };
    match core::opened() {
        // SAFETY: the arguments are forwarded unchanged, and the C caller upholds the contract of
        // `pt2_load`.
        Ok(functions) => unsafe { (functions.pt2_load)(path, options, model) },
        Err(missing) => Outcome::without(missing),
    }
}

/// Loads a model from memory, as [`load`] does from a file.
#[inline(never)]
unsafe extern "C" fn load_from_memory(
    data: Pointer,
    size: usize,
    options: Pointer,
    model: Pointer,
) -> Outcome {
    // SAFETY: the C caller of `pt2_load_from_memory` passes NULL or valid options.
    let _context = unsafe { begin(options.cast()) };
    match core::opened() {
        // SAFETY: the arguments are forwarded unchanged, and the C caller upholds the contract of
        // `pt2_load_from_memory`.
        Ok(functions) => unsafe { (functions.pt2_load_from_memory)(data, size, options, model) },
        Err(missing) => Outcome::without(missing),
    }
}

/// Starts the CUDA driver in a thread. The driver takes as long as libtorch to start and does not
/// need it. If the core is already opened or has failed, nothing is started.
///
/// # Safety
/// `options` is NULL or points to as many readable bytes as its first field states; its strings are
/// readable.
unsafe fn begin(options: *const LoadOptions) -> Option<Context> {
    if core::is_decided() {
        return None;
    }
    // The driver's threads inherit the environment.
    let _environment = FloatingPoint::default_environment();
    // SAFETY: this function's contract is the same as `cuda_device`'s.
    let index = unsafe { cuda_device(options) }?;
    Context::begin(move || retain(index))
}

/// Returns the index of the CUDA device if the options name one. Invalid options are errors of the
/// core, which reads all of them.
///
/// # Safety
/// The contract is that of [`begin`].
unsafe fn cuda_device(options: *const LoadOptions) -> Option<u16> {
    if options.is_null() || !options.is_aligned() {
        return None;
    }
    // SAFETY: `options` points to readable bytes by this function's contract, and the size is its
    // first field.
    let size = unsafe { options.cast::<usize>().read() };
    if size < size_of::<LoadOptions>() {
        return None;
    }
    // SAFETY: `options` is aligned and has `size` readable bytes, of which `LoadOptions` needs no
    // more.
    let options = unsafe { &*options };
    if options.device.is_null() || options.without_cuda != 0 {
        return None;
    }
    // SAFETY: the string is readable by this function's contract, and not NULL.
    index_of(unsafe { CStr::from_ptr(options.device) }.to_str().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::offset_of;
    use std::ptr;

    fn options(device: &CStr) -> LoadOptions {
        LoadOptions {
            struct_size: size_of::<LoadOptions>(),
            device: device.as_ptr(),
            model: ptr::null(),
            optimization: 0,
            memory: 0,
            skip_checksums: 0,
            without_cuda: 0,
        }
    }

    fn device_in(options: &LoadOptions) -> Option<u16> {
        // SAFETY: the options are complete, and the device is a string.
        unsafe { cuda_device(options) }
    }

    #[test]
    fn offsets_are_those_of_version_1() {
        assert_eq!(size_of::<LoadOptions>(), 40);
        assert_eq!((offset_of!(LoadOptions, device), offset_of!(LoadOptions, without_cuda)), (8, 36));
    }

    #[test]
    fn a_cuda_device_is_found_in_the_options() {
        assert_eq!(device_in(&options(c"cuda")), Some(0));
        assert_eq!(device_in(&options(c"cuda:3")), Some(3));
        assert_eq!(device_in(&LoadOptions { struct_size: 104, ..options(c"cuda:1") }), Some(1));
    }

    #[test]
    fn other_options_begin_with_nothing() {
        for device in [c"cpu", c"", c"cuda:", c"cuda:x", c"cuda:70000", c"cuda:+1", c"cuda0", c"\xff"] {
            assert_eq!(device_in(&options(device)), None, "{device:?}");
        }
        assert_eq!(device_in(&LoadOptions { device: ptr::null(), ..options(c"") }), None);
        assert_eq!(device_in(&LoadOptions { without_cuda: 1, ..options(c"cuda") }), None);
        assert_eq!(device_in(&LoadOptions { struct_size: 8, ..options(c"cuda") }), None);
        // SAFETY: `cuda_device` reads neither NULL nor an unaligned pointer.
        let nowhere = unsafe { [cuda_device(ptr::null()), cuda_device(ptr::without_provenance(1))] };
        assert_eq!(nowhere, [None, None]);
    }
}
