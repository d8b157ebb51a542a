//! Pointwise programs: many operations on elements in one pass over memory.

use super::failure::check;
use super::{Failure, Frame, Scope, ffi};
pub use ffi::Arithmetic;
use ffi::{PointwiseOperand, PointwiseSource};
use std::ptr::{self, NonNull};

/// Operand of an operation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PointwiseInput {
    /// Element of the tensor of this number.
    Input(u32),
    /// Result of an earlier step in this register.
    Register(u32),
    /// Constant.
    Constant(f32),
}

/// One operation.
#[derive(Clone, Copy, Debug)]
pub struct PointwiseStep {
    /// Operation to compute.
    pub arithmetic: Arithmetic,
    /// First operand.
    pub left: PointwiseInput,
    /// Second operand; ignored by operations on one operand.
    pub right: PointwiseInput,
    /// Register of the result.
    pub to: u32,
}

/// Operations in order; the last one's result is the output.
#[derive(Debug)]
pub struct Pointwise(NonNull<ffi::Pointwise>);

// SAFETY: the program never changes.
unsafe impl Send for Pointwise {}
// SAFETY: running the program only reads it.
unsafe impl Sync for Pointwise {}

impl Pointwise {
    /// Makes a program on `registers` registers. The caller ensures that no step names another.
    pub fn new(steps: &[PointwiseStep], registers: usize) -> Result<Pointwise, Failure> {
        let steps: Vec<ffi::PointwiseStep> = steps.iter().map(|step| step.declare()).collect();
        let mut made = ptr::null_mut();
        // SAFETY: the shim copies the steps.
        check(unsafe { ffi::shim_pointwise_new(steps.as_ptr(), steps.len(), registers, &mut made) })?;
        NonNull::new(made).map(Pointwise).ok_or_else(Failure::exhausted)
    }

    /// Computes a new tensor from those in the slots. Returns false if they do not qualify.
    ///
    /// They must be float32 on the CPU, dense, and of the same sizes and element order. The result
    /// has the memory format of libtorch's own result.
    pub fn run(&self, frame: &mut Frame, slots: &[u32], to: u32, _scope: &Scope) -> Result<bool, Failure> {
        let mut done = false;
        // SAFETY: the plan that sized the frame assigns the slots, one for each input that a step
        // names.
        check(unsafe {
            let (slots, count) = (slots.as_ptr(), slots.len());
            ffi::shim_pointwise_run(self.0.as_ptr(), frame.as_mut_ptr(), slots, count, to, &mut done)
        })?;
        Ok(done)
    }
}

impl Drop for Pointwise {
    fn drop(&mut self) {
        // SAFETY: this value owns the program.
        unsafe { ffi::shim_pointwise_free(self.0.as_ptr()) }
    }
}

impl PointwiseStep {
    fn declare(self) -> ffi::PointwiseStep {
        let (left, right) = (self.left.declare(), self.right.declare());
        ffi::PointwiseStep { arithmetic: self.arithmetic, left, right, to: self.to }
    }
}

impl PointwiseInput {
    fn declare(self) -> PointwiseOperand {
        let operand = |kind, index, constant| PointwiseOperand { kind, index, constant };
        match self {
            PointwiseInput::Input(index) => operand(PointwiseSource::Input, index, 0.0),
            PointwiseInput::Register(index) => operand(PointwiseSource::Register, index, 0.0),
            PointwiseInput::Constant(constant) => operand(PointwiseSource::Constant, 0, constant),
        }
    }
}
