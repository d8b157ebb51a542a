//! Operator calls with bound arguments.

use crate::{Frame, Operator, ShimError};
use libc::c_char;

/// Operator with constants and slots for its arguments and returns.
pub enum OpCall {}

/// Kind of an operand.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperandTag {
    /// Python's None.
    None,
    /// Value of the slot `slot`.
    Slot,
    /// Bool: `integer` is not 0.
    Bool,
    /// Int `integer`.
    Int,
    /// Float `real`.
    Float,
    /// Complex number of `real` and `imaginary`.
    Complex,
    /// String of `length` bytes at `text`.
    String,
    /// Device of type `slot` and index `integer`.
    Device,
    /// List of `length` operands at `items`.
    List,
}

/// Argument before the operator's schema determines its type.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CallOperand {
    /// Kind, which determines the fields that are read.
    pub tag: OperandTag,
    /// Slot, or type of a device.
    pub slot: u32,
    /// Bool, int, or index of a device.
    pub integer: i64,
    /// Float, or real part.
    pub real: f64,
    /// Imaginary part.
    pub imaginary: f64,
    /// Bytes of a string.
    pub text: *const c_char,
    /// Length of a string or list.
    pub length: usize,
    /// Operands of a list.
    pub items: *const CallOperand,
}

/// Operand for the argument of a name; positional with an empty name.
#[repr(C)]
pub struct NamedOperand {
    /// NUL-terminated name of the argument.
    pub name: *const c_char,
    /// Operand.
    pub operand: CallOperand,
}

/// Slots of one return of an operator. `UINT32_MAX` marks an unused element.
#[repr(C)]
pub struct ReturnSlot {
    /// Slots.
    pub slots: *const u32,
    /// Number of slots: 0 for an unused return.
    pub count: usize,
    /// True if the return is a list whose elements go to one slot each.
    pub list: bool,
}

unsafe extern "C" {
    /// Binds arguments: adds defaults and converts constants to the types of the schema.
    pub fn shim_op_call_bind(
        op: *const Operator,
        given: *const NamedOperand,
        given_count: usize,
        destinations: *const ReturnSlot,
        destination_count: usize,
        out: *mut *mut OpCall,
    ) -> *mut ShimError;

    /// Frees a call.
    pub fn shim_op_call_free(call: *mut OpCall);

    /// Runs the operator on a frame's values and stores its returns. Inside a scope.
    pub fn shim_op_call_run(call: *const OpCall, frame: *mut Frame) -> *mut ShimError;
}
