//! Autocast: libtorch's casts to a lower precision, switched for a scope.

use super::failure::check;
use super::{Device, Failure, ffi};
use std::marker::PhantomData;
use std::ptr;

/// Autocast mode of this thread for one type of device. Drop restores the previous mode.
#[derive(Debug)]
pub struct Autocast {
    raw: *mut ffi::Autocast,
    _one_thread: PhantomData<*const ()>,
}

impl Autocast {
    /// Switches autocast on or off. `dtype` is libtorch's number, or None for the device's default.
    pub fn enter(device: Device, dtype: Option<i32>, enabled: bool) -> Result<Autocast, Failure> {
        let mut raw = ptr::null_mut();
        // SAFETY: the call takes numbers, and fills `raw` or returns an error.
        check(unsafe {
            ffi::shim_autocast_enter(device.torch_type(), dtype.unwrap_or(-1), enabled, &mut raw)
        })?;
        Ok(Autocast { raw, _one_thread: PhantomData })
    }
}

impl Drop for Autocast {
    fn drop(&mut self) {
        // SAFETY: this value owns the mode and is not `Send`, so it is still on its thread.
        unsafe { ffi::shim_autocast_leave(self.raw) }
    }
}
