//! Marks in the order of a device's work.

use super::failure::check;
use super::{Device, Failure, ffi};
use std::ptr::{self, NonNull};

/// A place in a stream that other streams, or the host, can wait for.
#[derive(Debug)]
pub struct Event(NonNull<ffi::Event>);

// SAFETY: it is written through `&mut` only, and belongs to no thread.
unsafe impl Send for Event {}

impl Event {
    /// A mark that is nowhere yet; to wait for it is to go on at once.
    pub fn new(device: Device) -> Result<Event, Failure> {
        let mut raw = ptr::null_mut();
        // SAFETY: fills `raw` or reports an error.
        check(unsafe { ffi::shim_event_new(device.torch_type(), device.torch_index(), &mut raw) })?;
        NonNull::new(raw).map(Event).ok_or_else(Failure::exhausted)
    }

    /// Marks where this thread's current stream of the device is now.
    pub fn record(&mut self) -> Result<(), Failure> {
        // SAFETY: the event is valid.
        check(unsafe { ffi::shim_event_record(self.0.as_ptr()) })
    }

    /// Lets what this thread queues from now on run after the mark. The host does not wait.
    pub fn block(&self) -> Result<(), Failure> {
        // SAFETY: the event is valid.
        check(unsafe { ffi::shim_event_block(self.0.as_ptr()) })
    }

    /// Waits on the host until the device has come to the mark.
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
