//! A CUDA device's context, made while libtorch's CUDA library is loaded.
//!
//! In a process without one the driver takes 200 ms, half of them to start, and the library 100 ms. One after the other
//! they are most of what a process does before its first output.

use super::cuda::{DRIVER, open, started_driver, symbol};
use crate::timeline::span;
use libc::{RTLD_LAZY, c_int, c_void};
use std::ptr;
use std::thread::{self, Builder, JoinHandle};
use std::time::Duration;

/// The driver asks the dynamic loader for something in its first milliseconds. Whoever loads a large library meanwhile
/// holds the loader's lock for 100 ms, and the driver waits.
const HEAD_START: Duration = Duration::from_millis(20);

/// A thread that makes the context; dropping waits for it, for a process must not end while it runs.
#[derive(Debug)]
pub struct Context(Option<JoinHandle<()>>);

impl Context {
    /// Begins, and returns once a large library may be loaded. None where the driver or a thread is missing.
    ///
    /// What fails here fails again where libtorch needs the device, and is reported there.
    pub(super) fn begin(index: u16) -> Option<Context> {
        open(DRIVER, RTLD_LAZY)?;
        let make = move || span("create context", || drop(retain(index)));
        let thread = Builder::new().name("pt2-context".into()).spawn(make).ok()?;
        thread::sleep(HEAD_START);
        Some(Context(Some(thread)))
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // A thread that panicked has nothing to say.
        self.0.take().into_iter().for_each(|thread| drop(thread.join()));
    }
}

/// The primary context, which CUDA's runtime and so libtorch use. It is theirs, and stays as long as the process.
fn retain(index: u16) -> Result<(), String> {
    let address = symbol(started_driver()?, c"cuDevicePrimaryCtxRetain")?;
    let mut context: *mut c_void = ptr::null_mut();
    // SAFETY: cuDevicePrimaryCtxRetain(CUcontext *, CUdevice) has had this signature since CUDA 7.0 (CUDA driver API),
    // devices are numbered from 0, and it touches nothing of ours but the context.
    unsafe {
        let retain: unsafe extern "C" fn(*mut *mut c_void, c_int) -> c_int = std::mem::transmute(address);
        retain(&mut context, c_int::from(index));
    }
    Ok(())
}
