//! Kernels recorded once and launched as one (CUDA graphs).

use super::failure::check;
use super::{Device, Failure, Scope, ffi};
use crate::Result;
use std::ptr::{self, NonNull};

/// A stream to record on, and a memory pool that only recordings use. One thread records at a time.
#[derive(Debug)]
pub struct Recorder {
    raw: NonNull<ffi::Recorder>,
    device: Device,
}

// SAFETY: the stream and the pool belong to no thread, and every method that changes something takes `&mut`.
unsafe impl Send for Recorder {}

/// Recorded kernels with the memory they work in.
#[derive(Debug)]
pub struct Recording(NonNull<ffi::Recording>);

// SAFETY: launching reads it only, and it belongs to no thread.
unsafe impl Send for Recording {}

/// The recorder's stream as this thread's current one, and its pool as where new tensors on it lie.
#[derive(Debug)]
pub struct Session<'a> {
    recorder: &'a mut Recorder,
    scope: Scope,
    recorded: bool,
}

/// Whether someone records what this thread queues on its current stream of the device.
pub fn is_recorded(device: Device) -> Result<bool, Failure> {
    let mut recorded = false;
    // SAFETY: fills `recorded` or reports an error.
    check(unsafe { ffi::shim_stream_is_recorded(device.torch_index(), &mut recorded) })?;
    Ok(recorded)
}

impl Recorder {
    /// Fails where there is no CUDA.
    pub fn new(device: Device) -> Result<Recorder, Failure> {
        let mut raw = ptr::null_mut();
        // SAFETY: fills `raw` or reports an error.
        check(unsafe { ffi::shim_recorder_new(device.torch_index(), &mut raw) })?;
        NonNull::new(raw).map(|raw| Recorder { raw, device }).ok_or_else(Failure::exhausted)
    }

    /// Makes the stream current until the session is dropped. What ran on other streams must have been waited
    /// for by [`Event::block`](super::Event::block) inside.
    pub fn open(&mut self) -> Result<Session<'_>, Failure> {
        // SAFETY: the recorder is valid.
        let stream = unsafe { ffi::shim_recorder_stream(self.raw.as_ptr()) };
        let scope = Scope::enter(self.device, stream)?;
        // SAFETY: as above.
        check(unsafe { ffi::shim_recorder_open(self.raw.as_ptr()) })?;
        Ok(Session { recorder: self, scope, recorded: false })
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        // SAFETY: this value owns the recorder.
        unsafe { ffi::shim_recorder_free(self.raw.as_ptr()) }
    }
}

impl Session<'_> {
    /// Proof that the recorder's stream is current.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Records what `work` queues, which does not run, and gives it with what `work` returned. Work that waits
    /// for the device cannot be recorded. On an error nothing is left behind.
    pub fn record<T>(mut self, work: impl FnOnce(&Scope) -> Result<T>) -> Result<(Recording, T)> {
        let recorder = self.recorder.raw.as_ptr();
        // SAFETY: the recorder is valid and its stream is current.
        check(unsafe { ffi::shim_recording_begin(recorder) }).map_err(Failure::outside_node)?;
        let result = work(&self.scope).inspect_err(|_| {
            // SAFETY: the recording began above.
            unsafe { ffi::shim_recording_abandon(recorder) }
        })?;
        let mut raw = ptr::null_mut();
        // SAFETY: the recording began above; fills `raw` or reports an error.
        check(unsafe { ffi::shim_recording_end(recorder, &mut raw) }).map_err(Failure::outside_node)?;
        self.recorded = true;
        let recording = NonNull::new(raw).map(Recording).ok_or_else(Failure::exhausted);
        Ok((recording.map_err(Failure::outside_node)?, result))
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        // SAFETY: the session opened the recorder. An error here means that the allocator had forgotten it.
        let _ = check(unsafe { ffi::shim_recorder_close(self.recorder.raw.as_ptr(), self.recorded) });
    }
}

impl Recording {
    /// Queues the kernels on this thread's current stream of the device. The scope is proof that it is current.
    pub fn launch(&self, _scope: &Scope) -> Result<(), Failure> {
        // SAFETY: the recording is valid.
        check(unsafe { ffi::shim_recording_launch(self.0.as_ptr()) })
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        // SAFETY: this value owns the recording; whoever drops it has waited for its last launch.
        unsafe { ffi::shim_recording_free(self.0.as_ptr()) }
    }
}
