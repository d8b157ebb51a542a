//! AOTInductor's model container: compiled code with its constants.

use super::{ContainerConstant, NativeLibrary, PrivatePages};
use crate::failure::check;
use crate::{Device, Failure, Scope, Tensor, ffi};
use ffi::{AtTensor, ContainerSide, ContainerText};
use libc::{c_char, c_void};
use pt2_format::parallel::join;
use std::ffi::{CStr, CString};
use std::path::Path;
use std::ptr::{self, NonNull};
use std::sync::Arc;

/// Container of AOTInductor. Callers must limit concurrent calls, and make changes exclusively.
#[derive(Debug)]
pub struct ModelContainer {
    raw: NonNull<ffi::ModelContainer>,
    outputs: usize,
    /// Dropped after the container, whose constants are in these pages.
    pages: Option<PrivatePages>,
    /// Dropped after the container, whose code it holds.
    library: Arc<NativeLibrary>,
}

// SAFETY: the container is a C++ object that is not bound to a thread.
unsafe impl Send for ModelContainer {}
// SAFETY: its methods are thread-safe under its own locks, and its texts and counts never change.
unsafe impl Sync for ModelContainer {}

/// Interface that a container declares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerInfo {
    /// Names of the inputs in its source.
    pub inputs: Vec<String>,
    /// Number of outputs.
    pub outputs: usize,
    /// Pytree of inputs.
    pub in_spec: String,
    /// Pytree of outputs.
    pub out_spec: String,
}

/// # Safety
/// `context` is the list of [`ModelContainer::constants`], `name` a string and `tensor` NULL or a
/// valid tensor.
unsafe extern "C" fn take_constant(
    context: *mut c_void,
    name: *const c_char,
    kind: i32,
    tensor: *const AtTensor,
) {
    // SAFETY: `ModelContainer::constants` passes its list as context, and the shim a NUL-terminated
    // name.
    let (constants, name) = unsafe { (&mut *context.cast::<Vec<ContainerConstant>>(), CStr::from_ptr(name)) };
    if tensor.is_null() {
        return;
    }
    // SAFETY: the tensor is valid for the call.
    if let Some(tensor) = unsafe { Tensor::clone_from_ptr(tensor) } {
        constants.push(ContainerConstant::new(name.to_string_lossy().into_owned(), kind, tensor));
    }
}

/// # Safety
/// `context` is the list of [`ModelContainer::missing`] and `name` a string.
unsafe extern "C" fn take_missing(
    context: *mut c_void,
    name: *const c_char,
    _kind: i32,
    tensor: *const AtTensor,
) {
    // SAFETY: `ModelContainer::missing` passes its list as context, and the shim a NUL-terminated
    // name.
    let (missing, name) = unsafe { (&mut *context.cast::<Vec<String>>(), CStr::from_ptr(name)) };
    if tensor.is_null() {
        missing.push(name.to_string_lossy().into_owned());
    }
}

impl ModelContainer {
    /// Makes a container of `instances` instances with one set of constants.
    ///
    /// `kernels` is the folder with CUDA kernels. The device must be current.
    pub fn open(
        library: &Arc<NativeLibrary>,
        device: Device,
        kernels: Option<&Path>,
        instances: usize,
    ) -> Result<ModelContainer, Failure> {
        let kernels =
            kernels.map(|path| CString::new(path.as_os_str().as_encoded_bytes()).unwrap_or_default());
        let kernels = kernels.as_ref().map_or(ptr::null(), |path| path.as_ptr());
        let mut raw = ptr::null_mut();
        let (kind, index) = (device.torch_type(), device.torch_index());
        // SAFETY: `library` is open, the text outlives the call, and the shim checks that the
        // functions exist.
        check(unsafe {
            ffi::shim_container_open(library.as_ptr(), kind, index, kernels, instances, &mut raw)
        })?;
        let raw = NonNull::new(raw).ok_or_else(Failure::exhausted)?;
        let mut container = ModelContainer { raw, outputs: 0, pages: None, library: Arc::clone(library) };
        container.outputs = container.count(ContainerSide::Outputs)?;
        Ok(container)
    }

    /// Returns the interface that the container declares.
    pub fn info(&self) -> Result<ContainerInfo, Failure> {
        let count = self.count(ContainerSide::Inputs)?;
        let name = |index| self.text(ContainerText::InputName, index);
        Ok(ContainerInfo {
            inputs: (0..count).map(name).collect::<Result<_, _>>()?,
            outputs: self.outputs,
            in_spec: self.text(ContainerText::InSpec, 0)?,
            out_spec: self.text(ContainerText::OutSpec, 0)?,
        })
    }

    /// Returns the constants, except those folded from others.
    ///
    /// Their tensors are the container's memory, so they must not outlive it. A caller that writes
    /// to them must ensure that no call is in the container.
    pub fn constants(&self) -> Result<Vec<ContainerConstant>, Failure> {
        let mut constants: Vec<ContainerConstant> = Vec::new();
        let context = ptr::from_mut(&mut constants).cast();
        // SAFETY: `take_constant` is called only before this call returns, with this context.
        check(unsafe { ffi::shim_container_constants(self.raw.as_ptr(), take_constant, context) })?;
        Ok(constants)
    }

    /// Returns the names of the constants that have no value yet.
    pub fn missing(&self) -> Result<Vec<String>, Failure> {
        let mut missing: Vec<String> = Vec::new();
        let context = ptr::from_mut(&mut missing).cast();
        // SAFETY: `take_missing` is called only before this call returns, with this context.
        check(unsafe { ffi::shim_container_constants(self.raw.as_ptr(), take_missing, context) })?;
        Ok(missing)
    }

    /// Redirects constants on the CPU to the library's file, frees the container's copies and folds
    /// constants.
    ///
    /// Requires exclusive access, and no tensor of [`ModelContainer::constants`] may exist yet.
    /// Returns the number of bytes that are now in the file.
    pub fn read_from_file(&mut self, _scope: &Scope) -> Result<usize, Failure> {
        let Some(pages) = self.library.constants() else { return Ok(0) };
        let mut moved = 0;
        let (raw, start, length) = (self.raw.as_ptr(), pages.start(), pages.len());
        // SAFETY: the container is valid, and `self` keeps the pages until it is closed.
        let read = || check(unsafe { ffi::shim_container_read_from(raw, start, length, &mut moved) });
        // The first call reads all of them, so they are fetched in parallel.
        join(length, || pages.fetch(), read)?;
        self.pages = (moved > 0).then_some(pages);
        Ok(moved)
    }

    /// Returns true if [`ModelContainer::free_constants`] is supported.
    pub fn can_free_constants(&self) -> bool {
        let has = |name: &CStr| {
            // SAFETY: `self` keeps the library open, and the name is NUL-terminated.
            unsafe { ffi::shim_library_has(self.library.as_ptr(), name.as_ptr()) }
        };
        has(c"AOTInductorModelContainerSwapConstantBuffer")
            && has(c"AOTInductorModelContainerFreeInactiveConstantBuffer")
    }

    /// Frees the container's own memory for constants, which nothing may read any more.
    ///
    /// Requires exclusive access. [`ModelContainer::fold`] must follow before the next call.
    pub fn free_constants(&self) -> Result<(), Failure> {
        // SAFETY: the container is valid.
        check(unsafe { ffi::shim_container_free_constants(self.raw.as_ptr()) })
    }

    /// Folds the constants that depend on others. Requires exclusive access.
    pub fn fold(&self, _scope: &Scope) -> Result<(), Failure> {
        // SAFETY: the container is valid.
        check(unsafe { ffi::shim_container_fold(self.raw.as_ptr()) })
    }

    /// Calls the code with as many inputs as it declares. The scope proves that device and stream
    /// are current.
    pub fn run(&self, inputs: &[Tensor], _scope: &Scope) -> Result<Vec<Option<Tensor>>, Failure> {
        let inputs: Vec<_> = inputs.iter().map(Tensor::as_ptr).collect();
        let mut outputs = vec![ptr::null_mut(); self.outputs];
        // SAFETY: the inputs are valid tensors, and `outputs` has room for all outputs. The caller
        // checked the inputs.
        check(unsafe {
            ffi::shim_container_run(
                self.raw.as_ptr(),
                inputs.as_ptr(),
                inputs.len(),
                outputs.as_mut_ptr(),
                outputs.len(),
            )
        })?;
        // SAFETY: every non-NULL pointer is a tensor that the call made for this caller.
        let own = |raw: *mut AtTensor| unsafe { Tensor::from_raw(raw) };
        Ok(outputs.into_iter().map(own).collect())
    }

    fn count(&self, side: ContainerSide) -> Result<usize, Failure> {
        let mut count = 0;
        // SAFETY: the container is valid, and the call writes one number.
        check(unsafe { ffi::shim_container_count(self.raw.as_ptr(), side, &mut count) })?;
        Ok(count)
    }

    fn text(&self, which: ContainerText, index: usize) -> Result<String, Failure> {
        let mut text = ptr::null();
        // SAFETY: the container is valid, and the call writes one pointer.
        check(unsafe { ffi::shim_container_text(self.raw.as_ptr(), which, index, &mut text) })?;
        if text.is_null() {
            return Ok(String::new());
        }
        // SAFETY: the container owns the string and outlives this use.
        Ok(unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
    }
}

impl Drop for ModelContainer {
    fn drop(&mut self) {
        // SAFETY: this value owns the container, and no call is in it any more.
        let _ = check(unsafe { ffi::shim_container_close(self.raw.as_ptr()) });
    }
}
