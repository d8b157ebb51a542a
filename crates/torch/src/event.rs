//! Events: marks in the order of a device's work.

use super::failure::check;
use super::{Device, Failure, ffi};
use std::ptr::{self, NonNull};

/// Mark in a stream that other streams, or the host, can wait for.
#[derive(Debug)]
pub struct Event(NonNull<ffi::Event>);

// SAFETY: it is written only through `&mut`, and is not bound to a thread.
unsafe impl Send for Event {}

impl Event {
    /// Creates an unrecorded event. Waiting for it returns immediately.
    pub fn new(device: Device) -> Result<Event, Failure> {
        let mut raw = ptr::null_mut();
        // SAFETY: the call fills `raw` or returns an error.
        check(unsafe { ffi::shim_event_new(device.torch_type(), device.torch_index(), &mut raw) })?;
        NonNull::new(raw).map(Event).ok_or_else(Failure::exhausted)
    }

    /// Records the event on this thread's current stream of the device.
    pub fn record(&mut self) -> Result<(), Failure> {
        // SAFETY: the event is valid.
        check(unsafe { ffi::shim_event_record(self.0.as_ptr()) })
    }

    /// Makes this thread's current stream wait for the event. The host does not wait.
    pub fn block(&self) -> Result<(), Failure> {
        // SAFETY: the event is valid.
        check(unsafe { ffi::shim_event_block(self.0.as_ptr()) })
    }

    /// Waits on the host until the device has reached the event.
    pub fn synchronize(&self) -> Result<(), Failure> {
        // SAFETY: the event is valid.
        check(unsafe { ffi::shim_event_synchronize(self.0.as_ptr()) })
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: this value owns the event.
        unsafe { ffi::shim_event_free(self.0.as_ptr()) }
    }
}
