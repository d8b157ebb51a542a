//! Compiled code with its constants, ready to be called.

use super::NativeLibrary;
use crate::torch::failure::check;
use crate::torch::{Device, Failure, Scope, Tensor, ffi};
use std::ffi::{CStr, CString};
use std::path::Path;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use torch_sys::C_tensor;

/// A container of AOTInductor. How many threads may be inside at once, and which must be alone, is up to the caller.
#[derive(Debug)]
pub struct Container {
    raw: NonNull<ffi::Container>,
    outputs: usize,
    /// After the container, whose code it holds.
    _library: Arc<NativeLibrary>,
}

// SAFETY: the container is a C++ object that takes locks of its own; its text and counts never change.
unsafe impl Send for Container {}
// SAFETY: as above.
unsafe impl Sync for Container {}

/// What a container tells about its calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The names of the inputs in its source.
    pub inputs: Vec<String>,
    /// How many outputs it gives.
    pub outputs: usize,
    /// The tree of inputs.
    pub in_spec: String,
    /// The tree of outputs.
    pub out_spec: String,
}

impl Container {
    /// Makes `instances` instances on a device, with one set of constants. `kernels` is the folder with CUDA kernels.
    /// The device must be current.
    pub fn open(
        library: &Arc<NativeLibrary>,
        device: Device,
        kernels: Option<&Path>,
        instances: usize,
    ) -> Result<Container, Failure> {
        let kernels =
            kernels.map(|path| CString::new(path.as_os_str().as_encoded_bytes()).unwrap_or_default());
        let kernels = kernels.as_ref().map_or(ptr::null(), |path| path.as_ptr());
        let mut raw = ptr::null_mut();
        let (kind, index) = (device.torch_type(), device.torch_index());
        // SAFETY: the library is open, texts outlive the call, and the shim checks that the functions are there.
        check(unsafe {
            ffi::shim_container_open(library.as_ptr(), kind, index, kernels, instances, &mut raw)
        })?;
        let raw = NonNull::new(raw).ok_or_else(Failure::exhausted)?;
        let mut container = Container { raw, outputs: 0, _library: Arc::clone(library) };
        container.outputs = container.count(1)?;
        Ok(container)
    }

    /// What it takes and gives.
    pub fn told(&self) -> Result<Told, Failure> {
        let inputs = (0..self.count(0)?).map(|index| self.text(0, index)).collect::<Result<_, _>>()?;
        Ok(Told { inputs, outputs: self.outputs, in_spec: self.text(3, 0)?, out_spec: self.text(4, 0)? })
    }

    /// The names that its constants have in the exported module.
    pub fn constants(&self) -> Result<Vec<String>, Failure> {
        (0..self.count(2)?).map(|index| self.text(2, index)).collect()
    }

    /// Computes the constants that follow from others. Nobody else may be inside.
    pub fn fold(&self, _scope: &Scope) -> Result<(), Failure> {
        // SAFETY: the container is valid.
        check(unsafe { ffi::shim_container_fold(self.raw.as_ptr()) })
    }

    /// Calls the code; as many inputs as it takes. The scope is proof that the device and the stream are current.
    pub fn run(&self, inputs: &[Tensor], _scope: &Scope) -> Result<Vec<Option<Tensor>>, Failure> {
        let inputs: Vec<_> = inputs.iter().map(Tensor::as_ptr).collect();
        let mut outputs = vec![ptr::null_mut(); self.outputs];
        // SAFETY: the inputs are valid tensors, there is room for all outputs, and the shim checks nothing else.
        check(unsafe {
            ffi::shim_container_run(
                self.raw.as_ptr(),
                inputs.as_ptr(),
                inputs.len(),
                outputs.as_mut_ptr(),
                outputs.len(),
            )
        })?;
        // SAFETY: what is not NULL is a tensor that the call made for this one.
        let own = |raw: *mut C_tensor| (!raw.is_null()).then(|| unsafe { Tensor::from_raw(raw) });
        Ok(outputs.into_iter().map(own).collect())
    }

    /// Copies the constants of another container of the same library. Nobody may be inside of either.
    pub fn copy_constants(&self, from: &Container, _scope: &Scope) -> Result<(), Failure> {
        // SAFETY: both containers are valid.
        check(unsafe { ffi::shim_container_copy_constants(self.raw.as_ptr(), from.raw.as_ptr()) })
    }

    fn count(&self, what: i32) -> Result<usize, Failure> {
        let mut count = 0;
        // SAFETY: the container is valid and the call writes a number.
        check(unsafe { ffi::shim_container_count(self.raw.as_ptr(), what, &mut count) })?;
        Ok(count)
    }

    fn text(&self, what: i32, index: usize) -> Result<String, Failure> {
        let mut text = ptr::null();
        // SAFETY: the container is valid and the call writes a pointer.
        check(unsafe { ffi::shim_container_text(self.raw.as_ptr(), what, index, &mut text) })?;
        if text.is_null() {
            return Ok(String::new());
        }
        // SAFETY: a string of the container's, which lives as long as that.
        Ok(unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // SAFETY: this value owns the container, and nobody is inside.
        let _ = check(unsafe { ffi::shim_container_close(self.raw.as_ptr()) });
    }
}
