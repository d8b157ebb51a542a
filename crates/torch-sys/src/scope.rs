//! Scopes: settings of a thread while it runs operators.

use crate::ShimError;
use libc::c_void;

/// Inference mode, current device and stream. Ends on the thread that entered it.
pub enum Scope {}

/// Autocast mode of a type of device. Ends on the thread that entered it.
pub enum Autocast {}

/// Scope with a stream of its own, for copies that overlap other work.
pub enum SideStream {}

unsafe extern "C" {
    /// Enters a scope; `stream` NULL keeps the current stream.
    pub fn shim_scope_enter(
        device_type: i32,
        device_index: i32,
        stream: *mut c_void,
        out: *mut *mut Scope,
    ) -> *mut ShimError;

    /// Leaves a scope and restores the device and stream.
    pub fn shim_scope_leave(scope: *mut Scope);

    /// Returns true if this process prepacked weights since the scope was entered.
    pub fn shim_scope_has_prepacked(scope: *const Scope) -> bool;

    /// Sets autocast; a negative `dtype` keeps the device's default.
    pub fn shim_autocast_enter(
        device_type: i32,
        dtype: i32,
        enabled: bool,
        out: *mut *mut Autocast,
    ) -> *mut ShimError;

    /// Restores autocast.
    pub fn shim_autocast_leave(autocast: *mut Autocast);

    /// Creates a stream and makes it current.
    pub fn shim_side_stream_enter(
        device_type: i32,
        device_index: i32,
        out: *mut *mut SideStream,
    ) -> *mut ShimError;

    /// Frees the stream and restores the device and stream.
    pub fn shim_side_stream_leave(side: *mut SideStream);
}
