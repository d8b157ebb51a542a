//! Loading, with a head start for the CUDA driver.

use crate::core;
use crate::result::{Outcome, Pointer, Result};
use pt2_driver::{Context, index_of, retain};
use pt2_host::{FloatingPoint, without_cancellation};
use std::ffi::{CStr, c_char};

/// The first version of `pt2_load_options`, with which every later one begins: `tests/c/layout.c` freezes it.
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
    // SAFETY: the caller's promise.
    without_cancellation(|| unsafe { load(path, options, model) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn pt2_load_from_memory(
    data: Pointer,
    size: usize,
    options: Pointer,
    model: Pointer,
) -> Outcome {
    // SAFETY: the caller's promise.
    without_cancellation(|| unsafe { load_from_memory(data, size, options, model) })
}

/// Apart from the function of the ABI, which has nothing to drop.
#[inline(never)]
unsafe extern "C" fn load(path: Pointer, options: Pointer, model: Pointer) -> Outcome {
    // SAFETY: the caller's promise.
    let _context = unsafe { begin(options.cast()) };
    match core::opened() {
        // SAFETY: the caller's promise.
        Ok(functions) => unsafe { (functions.pt2_load)(path, options, model) },
        Err(missing) => Outcome::without(missing),
    }
}

/// As `load`.
#[inline(never)]
unsafe extern "C" fn load_from_memory(
    data: Pointer,
    size: usize,
    options: Pointer,
    model: Pointer,
) -> Outcome {
    // SAFETY: the caller's promise.
    let _context = unsafe { begin(options.cast()) };
    match core::opened() {
        // SAFETY: the caller's promise.
        Ok(functions) => unsafe { (functions.pt2_load_from_memory)(data, size, options, model) },
        Err(missing) => Outcome::without(missing),
    }
}

/// The driver needs as long as libtorch to start, and nothing of it. Where libtorch is there already, it begins as soon.
///
/// # Safety
/// `options` is NULL or leads to as many readable bytes as its first field says; its strings are readable.
unsafe fn begin(options: *const LoadOptions) -> Option<Context> {
    if core::is_decided() {
        return None;
    }
    // What the driver's threads inherit.
    let _environment = FloatingPoint::default_environment();
    // SAFETY: the caller's promise.
    let index = unsafe { cuda_device(options) }?;
    Context::begin(move || retain(index))
}

/// The device that will be used, if it is known by now to be one of CUDA's. What is wrong with the options is said by
/// whoever takes all of them.
///
/// # Safety
/// As for [`begin`].
unsafe fn cuda_device(options: *const LoadOptions) -> Option<u16> {
    if options.is_null() || !options.is_aligned() {
        return None;
    }
    // SAFETY: the caller's promise; the size comes first.
    let size = unsafe { options.cast::<usize>().read() };
    if size < size_of::<LoadOptions>() {
        return None;
    }
    // SAFETY: the caller's promise.
    let options = unsafe { &*options };
    if options.device.is_null() || options.without_cuda != 0 {
        return None;
    }
    // SAFETY: the caller's promise.
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
        // SAFETY: they are whole.
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
        // SAFETY: neither is read.
        let nowhere = unsafe { [cuda_device(ptr::null()), cuda_device(ptr::without_provenance(1))] };
        assert_eq!(nowhere, [None, None]);
    }
}
