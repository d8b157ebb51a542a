//! AOTInductor's model containers, and their constants.

use crate::{AtTensor, ShimError};
use libc::{c_char, c_void};

/// Compiled code with its constants.
pub enum ModelContainer {}

/// Side of a compiled function.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContainerSide {
    /// Inputs.
    Inputs,
    /// Outputs.
    Outputs,
}

/// Text that a container declares.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContainerText {
    /// Name of an input.
    InputName,
    /// Pytree of inputs.
    InSpec,
    /// Pytree of outputs.
    OutSpec,
}

unsafe extern "C" {
    /// Creates a container of `instances` instances from a library that the dynamic loader opened.
    ///
    /// `kernels` is the folder of CUDA kernels, or NULL.
    pub fn shim_container_open(
        library: *mut c_void,
        device_type: i32,
        device_index: i32,
        kernels: *const c_char,
        instances: usize,
        out: *mut *mut ModelContainer,
    ) -> *mut ShimError;

    /// Frees a container. No call may be in it.
    pub fn shim_container_close(container: *mut ModelContainer) -> *mut ShimError;

    /// Returns the number of inputs or outputs.
    pub fn shim_container_count(
        container: *const ModelContainer,
        side: ContainerSide,
        out: *mut usize,
    ) -> *mut ShimError;

    /// Returns a text, which lives as long as the container. `index` is the input of a name.
    pub fn shim_container_text(
        container: *const ModelContainer,
        text: ContainerText,
        index: usize,
        out: *mut *const c_char,
    ) -> *mut ShimError;

    /// Folds constants: computes those that depend on others. Inside a scope.
    pub fn shim_container_fold(container: *const ModelContainer) -> *mut ShimError;

    /// Redirects constants to `constants`, the content of the library's file, and folds constants.
    ///
    /// Frees the container's copies and sets `out_moved` to their number of bytes. Inside a scope.
    pub fn shim_container_read_from(
        container: *const ModelContainer,
        constants: *mut u8,
        length: usize,
        out_moved: *mut usize,
    ) -> *mut ShimError;

    /// Runs the code. Inside a scope.
    pub fn shim_container_run(
        container: *const ModelContainer,
        inputs: *const *const AtTensor,
        input_count: usize,
        outputs: *mut *mut AtTensor,
        output_count: usize,
    ) -> *mut ShimError;

    /// Calls `take` with each constant that is not folded from others: name, kind and tensor.
    ///
    /// The tensor is on the container's memory, or NULL for a constant without a value.
    pub fn shim_container_constants(
        container: *const ModelContainer,
        take: unsafe extern "C" fn(
            context: *mut c_void,
            name: *const c_char,
            kind: i32,
            tensor: *const AtTensor,
        ),
        context: *mut c_void,
    ) -> *mut ShimError;

    /// Frees the container's own memory for constants, all of which must be redirected. Inside a scope.
    pub fn shim_container_free_constants(container: *const ModelContainer) -> *mut ShimError;

    /// Returns the memory of a constant if it fills its storage; NULL otherwise.
    pub fn shim_constant_memory(constant: *const AtTensor) -> *mut c_void;

    /// Redirects a constant to the memory of `from`, which it keeps, or to `own` if `from` is NULL.
    ///
    /// The code uses the new address after the next folding of constants.
    pub fn shim_constant_read(
        constant: *const AtTensor,
        from: *const AtTensor,
        own: *mut c_void,
    ) -> *mut ShimError;

    /// Returns true if a library exports a symbol.
    pub fn shim_library_has(library: *mut c_void, name: *const c_char) -> bool;
}
