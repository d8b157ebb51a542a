//! Arithmetic on each element of some tensors, many operations in one go over the memory.

use super::failure::check;
use super::{Failure, Frame, Scope, ffi};
use std::ptr::{self, NonNull};

/// An operation on elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    /// `left + right`
    Add,
    /// `left - right`
    Sub,
    /// `left * right`
    Mul,
    /// `left / right`
    Div,
    /// `-left`
    Neg,
    /// `left`, or zero where that is negative
    Relu,
    /// The square root of `left`.
    Sqrt,
    /// `left` without its sign.
    Abs,
}

/// What an operation reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PointwiseInput {
    /// An element of the tensor of this number.
    Input(u32),
    /// What an earlier step left in this register.
    Register(u32),
    /// A constant.
    Constant(f32),
}

/// One operation.
#[derive(Clone, Copy, Debug)]
pub struct PointwiseStep {
    /// What is computed.
    pub arithmetic: Arithmetic,
    /// The first operand.
    pub left: PointwiseInput,
    /// The second; not read by operations that have one.
    pub right: PointwiseInput,
    /// The register for the result.
    pub to: u32,
}

/// Operations in order; the last one's result is the output.
#[derive(Debug)]
pub struct Pointwise(NonNull<ffi::Pointwise>);

// SAFETY: it is never written after it is made.
unsafe impl Send for Pointwise {}
// SAFETY: as above.
unsafe impl Sync for Pointwise {}

impl Pointwise {
    /// Operations on `registers` registers. The caller has checked that no step names another.
    pub fn new(steps: &[PointwiseStep], registers: usize) -> Result<Pointwise, Failure> {
        let steps: Vec<ffi::PointwiseStep> = steps.iter().map(|step| step.declare()).collect();
        let mut made = ptr::null_mut();
        // SAFETY: the shim copies the steps.
        check(unsafe { ffi::shim_pointwise_new(steps.as_ptr(), steps.len(), registers, &mut made) })?;
        NonNull::new(made).map(Pointwise).ok_or_else(Failure::exhausted)
    }

    /// Computes a new tensor from those in the slots, and tells whether it did: they must be float32 on the CPU, dense,
    /// of the same sizes and with their elements in the same order. It lies in memory as libtorch's own result would.
    pub fn run(&self, frame: &mut Frame, slots: &[u32], to: u32, _scope: &Scope) -> Result<bool, Failure> {
        let mut done = false;
        // SAFETY: slots come from the plan that sized the frame, one for each input that a step names.
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
        ffi::PointwiseStep { arithmetic: self.arithmetic as i32, left, right, to: self.to }
    }
}

impl PointwiseInput {
    fn declare(self) -> ffi::PointwiseOperand {
        match self {
            PointwiseInput::Input(index) => ffi::PointwiseOperand { kind: 0, index, constant: 0.0 },
            PointwiseInput::Register(index) => ffi::PointwiseOperand { kind: 1, index, constant: 0.0 },
            PointwiseInput::Constant(constant) => ffi::PointwiseOperand { kind: 2, index: 0, constant },
        }
    }
}
