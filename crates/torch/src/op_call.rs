//! Operator call with bound arguments: constants, and indices into a frame.

use super::failure::check;
use super::{Device, Failure, Frame, Operator, Scope, ffi};
use ffi::OperandTag;
use libc::c_char;
use std::ffi::CString;
use std::ptr::{self, NonNull};

/// Argument before the operator's schema determines its type.
#[derive(Clone, Debug)]
pub enum CallOperand {
    /// Python's None.
    None,
    /// Value of a slot of the frame.
    Slot(u32),
    /// Constant bool.
    Bool(bool),
    /// Constant int, or libtorch's number of a dtype, layout or memory format.
    Int(i64),
    /// Constant float.
    Float(f64),
    /// Constant complex number.
    Complex(f64, f64),
    /// Constant string.
    String(String),
    /// Device.
    Device(Device),
    /// List of any of these.
    List(Vec<CallOperand>),
}

/// Destination of one return of an operator.
#[derive(Clone, Debug)]
pub enum ReturnSlot {
    /// Unused.
    Dropped,
    /// One slot.
    Slot(u32),
    /// A slot for each element of the returned list; None for an unused one.
    List(Vec<Option<u32>>),
}

/// Call that needs only a frame to run.
#[derive(Debug)]
pub struct OpCall(NonNull<ffi::OpCall>);

// SAFETY: a bound call never changes, and libtorch counts references to its constants atomically.
unsafe impl Send for OpCall {}
// SAFETY: running a call only reads it.
unsafe impl Sync for OpCall {}

impl OpCall {
    /// Fills in defaults and converts every argument to the type in the operator's schema.
    ///
    /// An argument with an empty name is positional.
    pub fn bind(
        operator: &Operator,
        arguments: &[(&str, CallOperand)],
        returns: &[ReturnSlot],
    ) -> Result<OpCall, Failure> {
        let mut arena = Arena::default();
        let given: Vec<_> = arguments.iter().map(|(name, operand)| arena.named(name, operand)).collect();
        let slots: Vec<Vec<u32>> = returns.iter().map(ReturnSlot::slots).collect();
        let destinations: Vec<_> = returns.iter().zip(&slots).map(|(to, slots)| to.declare(slots)).collect();
        let mut call = ptr::null_mut();
        // SAFETY: all pointers lead into `arena`, `given`, `slots` and `destinations`, which
        // outlive the call.
        check(unsafe {
            ffi::shim_op_call_bind(
                operator.as_ptr(),
                given.as_ptr(),
                given.len(),
                destinations.as_ptr(),
                destinations.len(),
                &mut call,
            )
        })?;
        NonNull::new(call).map(OpCall).ok_or_else(Failure::exhausted)
    }

    /// Runs the operator on the frame's values and stores its returns there.
    ///
    /// The scope proves that gradients are off and the device is current.
    #[inline]
    pub fn run(&self, frame: &mut Frame, _scope: &Scope) -> Result<(), Failure> {
        // SAFETY: both pointers are valid, and the plan sized the frame for every slot of its
        // calls.
        check(unsafe { ffi::shim_op_call_run(self.0.as_ptr(), frame.as_mut_ptr()) })
    }
}

impl Drop for OpCall {
    fn drop(&mut self) {
        // SAFETY: this value owns the call.
        unsafe { ffi::shim_op_call_free(self.0.as_ptr()) }
    }
}

impl ReturnSlot {
    fn slots(&self) -> Vec<u32> {
        match self {
            ReturnSlot::Dropped => Vec::new(),
            ReturnSlot::Slot(slot) => vec![*slot],
            ReturnSlot::List(slots) => slots.iter().map(|slot| slot.unwrap_or(u32::MAX)).collect(),
        }
    }

    fn declare(&self, slots: &[u32]) -> ffi::ReturnSlot {
        let list = matches!(self, ReturnSlot::List(_));
        ffi::ReturnSlot { slots: slots.as_ptr(), count: slots.len(), list }
    }
}

/// Owner of the memory that the operands' C form points to while a call is bound.
#[derive(Default)]
struct Arena {
    texts: Vec<CString>,
    lists: Vec<Vec<ffi::CallOperand>>,
}

impl Arena {
    fn named(&mut self, name: &str, operand: &CallOperand) -> ffi::NamedOperand {
        ffi::NamedOperand { name: self.text(name), operand: self.declare(operand) }
    }

    fn text(&mut self, text: &str) -> *const c_char {
        self.texts.push(CString::new(text.replace('\0', "")).unwrap_or_default());
        self.texts.last().map_or(ptr::null(), |text| text.as_ptr())
    }

    fn list(&mut self, items: &[CallOperand]) -> *const ffi::CallOperand {
        let items = items.iter().map(|item| self.declare(item)).collect();
        self.lists.push(items);
        self.lists.last().map_or(ptr::null(), |items| items.as_ptr())
    }

    fn declare(&mut self, operand: &CallOperand) -> ffi::CallOperand {
        let mut plain = ffi::CallOperand {
            tag: OperandTag::None,
            slot: 0,
            integer: 0,
            real: 0.0,
            imaginary: 0.0,
            text: ptr::null(),
            length: 0,
            items: ptr::null(),
        };
        match operand {
            CallOperand::None => {}
            CallOperand::Slot(slot) => (plain.tag, plain.slot) = (OperandTag::Slot, *slot),
            CallOperand::Bool(value) => (plain.tag, plain.integer) = (OperandTag::Bool, i64::from(*value)),
            CallOperand::Int(value) => (plain.tag, plain.integer) = (OperandTag::Int, *value),
            CallOperand::Float(value) => (plain.tag, plain.real) = (OperandTag::Float, *value),
            CallOperand::Complex(real, imaginary) => {
                (plain.tag, plain.real, plain.imaginary) = (OperandTag::Complex, *real, *imaginary);
            }
            CallOperand::String(text) => {
                (plain.tag, plain.text, plain.length) = (OperandTag::String, self.text(text), text.len())
            }
            CallOperand::Device(device) => {
                (plain.tag, plain.slot) = (OperandTag::Device, device.torch_type() as u32);
                plain.integer = i64::from(device.torch_index());
            }
            CallOperand::List(items) => {
                (plain.tag, plain.items, plain.length) = (OperandTag::List, self.list(items), items.len())
            }
        }
        plain
    }
}
