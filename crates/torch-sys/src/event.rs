//! Events: marks in streams.

use crate::ShimError;

/// Mark in a stream of one device.
pub enum Event {}

unsafe extern "C" {
    /// Creates an event.
    pub fn shim_event_new(device_type: i32, device_index: i32, out: *mut *mut Event) -> *mut ShimError;

    /// Frees an event.
    pub fn shim_event_free(event: *mut Event);

    /// Records the event on the thread's current stream.
    pub fn shim_event_record(event: *mut Event) -> *mut ShimError;

    /// Makes the thread's current stream wait for the event. Does not block the thread.
    pub fn shim_event_block(event: *const Event) -> *mut ShimError;

    /// Blocks the thread until the event is reached.
    pub fn shim_event_synchronize(event: *const Event) -> *mut ShimError;
}
