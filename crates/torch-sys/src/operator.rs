//! Operators, by their names and schemas.

use crate::ShimError;
use libc::{c_char, c_void};

/// Registered or built-in operator with its schema.
pub enum Operator {}

/// Content of an operator's argument, by its type in the schema.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Tensors, numbers, dtypes, devices and the like.
    Values,
    /// Strings, or types that contain strings.
    Text,
    /// Memory, streams and other types behind a pointer.
    Memory,
}

/// Tag of an operator.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// Its kernels cannot be captured.
    CudaGraphUnsafe,
    /// It returns a number that depends on tensor data.
    DataDependentOutput,
    /// Its output sizes depend on tensor data.
    DynamicOutputShape,
    /// It draws random numbers.
    Random,
}

unsafe extern "C" {
    /// Finds an operator; NULL if this process has none of this name and overload.
    ///
    /// Operators that are built in shadow registered ones: an implementation that Python registered
    /// needs the interpreter.
    pub fn shim_operator_find(
        name: *const c_char,
        overload: *const c_char,
        out: *mut *mut Operator,
    ) -> *mut ShimError;

    /// Frees an operator.
    pub fn shim_operator_free(op: *mut Operator);

    /// Returns the number of arguments.
    pub fn shim_operator_argument_count(op: *const Operator) -> usize;

    /// Returns the name of an argument, which lives as long as the operator; empty beyond the last.
    pub fn shim_operator_argument_name(op: *const Operator, index: usize) -> *const c_char;

    /// Returns the content of an argument. Types that libpt2 does not know count as memory.
    pub fn shim_operator_argument_content(op: *const Operator, index: usize) -> Content;

    /// Calls `take` with the name and overload of each registered operator of this process.
    pub fn shim_operator_each(
        take: unsafe extern "C" fn(context: *mut c_void, name: *const c_char, overload: *const c_char),
        context: *mut c_void,
    ) -> *mut ShimError;

    /// Loads an operator library, which is never closed.
    pub fn shim_library_open(path: *const c_char) -> *mut ShimError;

    /// Returns true if the operator has a kernel for a type of device, or if libtorch cannot say.
    pub fn shim_operator_runs_on(op: *const Operator, device_type: i32) -> bool;

    /// Returns true if autocast for a type of device casts the operator's arguments.
    pub fn shim_operator_is_cast(op: *const Operator, device_type: i32) -> bool;

    /// Returns true if the operator is a composite of other operators on every device.
    pub fn shim_operator_is_composite(op: *const Operator) -> bool;

    /// Returns true if the operator has a tag, or if libtorch cannot say.
    pub fn shim_operator_has_tag(op: *const Operator, tag: Tag) -> bool;

    /// Returns true if the schema declares writes to an argument, or if libtorch cannot say.
    pub fn shim_operator_writes(op: *const Operator, index: usize) -> bool;

    /// Returns true if the schema declares that a return may alias an argument, or if libtorch cannot
    /// say.
    pub fn shim_operator_returns_alias_of(op: *const Operator, index: usize) -> bool;
}
