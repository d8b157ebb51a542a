//! Pointwise programs: many operations on elements in one pass over memory.

use crate::{Frame, ShimError};

/// Steps that compute one tensor from others of the same sizes.
pub enum Pointwise {}

/// Operation on elements.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    /// `left + right`.
    Add,
    /// `left - right`.
    Sub,
    /// `left * right`.
    Mul,
    /// `left / right`.
    Div,
    /// `-left`.
    Neg,
    /// ReLU: `left`, or zero if it is negative.
    Relu,
    /// Square root of `left`.
    Sqrt,
    /// Absolute value of `left`.
    Abs,
}

/// Kind of an operand of a step.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointwiseSource {
    /// Element of the tensor of number `index`.
    Input,
    /// Result of an earlier step in register `index`.
    Register,
    /// `constant`.
    Constant,
}

/// Operand of a step.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct PointwiseOperand {
    /// Kind, which determines the field that is read.
    pub kind: PointwiseSource,
    /// Number of a tensor or register.
    pub index: u32,
    /// Constant.
    pub constant: f32,
}

/// One operation.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct PointwiseStep {
    /// Operation to compute.
    pub arithmetic: Arithmetic,
    /// First operand.
    pub left: PointwiseOperand,
    /// Second operand; ignored by operations on one operand.
    pub right: PointwiseOperand,
    /// Register of the result; ignored in the last step, which writes to the output.
    pub to: u32,
}

unsafe extern "C" {
    /// Creates a program from a copy of the steps.
    pub fn shim_pointwise_new(
        steps: *const PointwiseStep,
        count: usize,
        registers: usize,
        out: *mut *mut Pointwise,
    ) -> *mut ShimError;

    /// Frees a program.
    pub fn shim_pointwise_free(pointwise: *mut Pointwise);

    /// Runs a program on the tensors in `slots`. Inside a scope.
    ///
    /// Sets `done` to false, and leaves the frame unmodified, if the tensors do not qualify.
    pub fn shim_pointwise_run(
        pointwise: *const Pointwise,
        frame: *mut Frame,
        slots: *const u32,
        count: usize,
        to: u32,
        done: *mut bool,
    ) -> *mut ShimError;
}
