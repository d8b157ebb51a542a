//! libtorch's automatic casts to a lower precision, switched for a while.

use super::failure::check;
use super::{Device, Failure, ffi};
use std::marker::PhantomData;
use std::ptr;

/// The thread's autocast mode for one type of device; as it was when it is dropped.
#[derive(Debug)]
pub struct Autocast {
    raw: *mut ffi::Autocast,
    _one_thread: PhantomData<*const ()>,
}

impl Autocast {
    /// Switches it on with a dtype of libtorch's numbering, or with the device's default; or off.
    pub fn enter(device: Device, dtype: Option<i32>, enabled: bool) -> Result<Autocast, Failure> {
        let mut raw = ptr::null_mut();
        // SAFETY: takes numbers, fills `raw` or reports an error.
        check(unsafe {
            ffi::shim_autocast_enter(device.torch_type(), dtype.unwrap_or(-1), enabled, &mut raw)
        })?;
        Ok(Autocast { raw, _one_thread: PhantomData })
    }
}

impl Drop for Autocast {
    fn drop(&mut self) {
        // SAFETY: this value owns the mode and has not left its thread.
        unsafe { ffi::shim_autocast_leave(self.raw) }
    }
}
