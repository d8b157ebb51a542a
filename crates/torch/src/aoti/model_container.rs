//! AOTInductor's model container: compiled code with its constants, ready to be called.

use super::{ContainerConstant, NativeLibrary, PrivatePages};
use crate::failure::check;
use crate::{Device, Failure, Scope, Tensor, ffi};
use libc::{c_char, c_void};
use pt2_format::parallel::join;
use std::ffi::{CStr, CString};
use std::path::Path;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use torch_sys::C_tensor;

/// A container of AOTInductor. How many threads may be inside at once, and which must be alone, is up to the caller.
#[derive(Debug)]
pub struct ModelContainer {
    raw: NonNull<ffi::ModelContainer>,
    outputs: usize,
    /// After the container, whose constants lie there.
    pages: Option<PrivatePages>,
    /// After the container, whose code it holds.
    library: Arc<NativeLibrary>,
}

// SAFETY: the container is a C++ object that takes locks of its own; its text and counts never change.
unsafe impl Send for ModelContainer {}
// SAFETY: as above.
unsafe impl Sync for ModelContainer {}

/// What a container tells about its calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerInfo {
    /// The names of the inputs in its source.
    pub inputs: Vec<String>,
    /// How many outputs it gives.
    pub outputs: usize,
    /// The tree of inputs.
    pub in_spec: String,
    /// The tree of outputs.
    pub out_spec: String,
}

/// # Safety
/// `context` is the list of [`ModelContainer::constants`], `name` a string and `tensor` NULL or a valid tensor.
unsafe extern "C" fn take_constant(
    context: *mut c_void,
    name: *const c_char,
    kind: i32,
    tensor: *const C_tensor,
) {
    // SAFETY: the caller's promise.
    let (constants, name) = unsafe { (&mut *context.cast::<Vec<ContainerConstant>>(), CStr::from_ptr(name)) };
    if tensor.is_null() {
        return;
    }
    // SAFETY: the tensor is valid for the call; NULL is what the shim gives when memory is short.
    let raw = unsafe { ffi::shim_tensor_clone(tensor) };
    if !raw.is_null() {
        // SAFETY: the shim made it for this call.
        let tensor = unsafe { Tensor::from_raw(raw) };
        constants.push(ContainerConstant::new(name.to_string_lossy().into_owned(), kind, tensor));
    }
}

/// # Safety
/// `context` is the list of [`ModelContainer::missing`] and `name` a string.
unsafe extern "C" fn take_missing(
    context: *mut c_void,
    name: *const c_char,
    _kind: i32,
    tensor: *const C_tensor,
) {
    // SAFETY: the caller's promise.
    let (missing, name) = unsafe { (&mut *context.cast::<Vec<String>>(), CStr::from_ptr(name)) };
    if tensor.is_null() {
        missing.push(name.to_string_lossy().into_owned());
    }
}

impl ModelContainer {
    /// Makes `instances` instances on a device, with one set of constants. `kernels` is the folder with CUDA kernels.
    /// The device must be current.
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
        // SAFETY: the library is open, texts outlive the call, and the shim checks that the functions are there.
        check(unsafe {
            ffi::shim_container_open(library.as_ptr(), kind, index, kernels, instances, &mut raw)
        })?;
        let raw = NonNull::new(raw).ok_or_else(Failure::exhausted)?;
        let mut container = ModelContainer { raw, outputs: 0, pages: None, library: Arc::clone(library) };
        container.outputs = container.count(1)?;
        Ok(container)
    }

    /// What it takes and gives.
    pub fn info(&self) -> Result<ContainerInfo, Failure> {
        let inputs = (0..self.count(0)?).map(|index| self.text(0, index)).collect::<Result<_, _>>()?;
        Ok(ContainerInfo {
            inputs,
            outputs: self.outputs,
            in_spec: self.text(1, 0)?,
            out_spec: self.text(2, 0)?,
        })
    }

    /// Its constants but those that follow from others. Their tensors are the container's memory: they must not
    /// outlive it, and whoever writes to them sees to it that nobody is inside.
    pub fn constants(&self) -> Result<Vec<ContainerConstant>, Failure> {
        let mut constants: Vec<ContainerConstant> = Vec::new();
        let context = ptr::from_mut(&mut constants).cast();
        // SAFETY: `take_constant` is called during the call only, with this context.
        check(unsafe { ffi::shim_container_constants(self.raw.as_ptr(), take_constant, context) })?;
        Ok(constants)
    }

    /// The names of the constants that neither the library holds nor anyone has given.
    pub fn missing(&self) -> Result<Vec<String>, Failure> {
        let mut missing: Vec<String> = Vec::new();
        let context = ptr::from_mut(&mut missing).cast();
        // SAFETY: `take_missing` is called during the call only, with this context.
        check(unsafe { ffi::shim_container_constants(self.raw.as_ptr(), take_missing, context) })?;
        Ok(missing)
    }

    /// Lets a container on the CPU read its constants from the library's file, and gives the memory of its own copy of
    /// them back; the constants that follow from others are computed. Nobody else may be inside, and no
    /// tensor of [`ModelContainer::constants`] be there yet. Returns how many bytes are read from the file now.
    pub fn read_from_file(&mut self, _scope: &Scope) -> Result<usize, Failure> {
        let Some(pages) = self.library.constants() else { return Ok(0) };
        let mut moved = 0;
        let (raw, start, length) = (self.raw.as_ptr(), pages.start(), pages.len());
        // SAFETY: the container is valid, and the pages stay until it is closed.
        let read = || check(unsafe { ffi::shim_container_read_from(raw, start, length, &mut moved) });
        // All of them are read in the first call.
        join(length, || pages.fetch(), read)?;
        self.pages = (moved > 0).then_some(pages);
        Ok(moved)
    }

    /// Whether [`ModelContainer::free_constants`] can be called.
    pub fn can_free_constants(&self) -> bool {
        let has = |name: &CStr| {
            // SAFETY: the library is open and the name a string.
            unsafe { ffi::shim_library_has(self.library.as_ptr(), name.as_ptr()) }
        };
        has(c"AOTInductorModelContainerSwapConstantBuffer")
            && has(c"AOTInductorModelContainerFreeInactiveConstantBuffer")
    }

    /// Gives back the memory that the container has for its constants, which nothing may read any more. Nobody else may
    /// be inside, and [`ModelContainer::fold`] comes next.
    pub fn free_constants(&self) -> Result<(), Failure> {
        // SAFETY: the container is valid.
        check(unsafe { ffi::shim_container_free_constants(self.raw.as_ptr()) })
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

impl Drop for ModelContainer {
    fn drop(&mut self) {
        // SAFETY: this value owns the container, and nobody is inside.
        let _ = check(unsafe { ffi::shim_container_close(self.raw.as_ptr()) });
    }
}
