//! Frames of plans inside a plan, and the values that pass between frames.

use crate::Result;
use crate::exec::store;
use crate::plan::{Plan, ValueRef};
use crate::torch::{Failure, Frame};

/// Inner plan with its frame, which lives as long as one step of the outer plan.
pub struct SubgraphFrame<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Frame of the plan.
    pub frame: Frame,
}

impl SubgraphFrame<'_> {
    /// Creates an empty frame for a plan.
    pub fn new(plan: &Plan) -> Result<SubgraphFrame<'_>> {
        Ok(SubgraphFrame { plan, frame: empty(plan.slots)? })
    }

    /// Fills the inputs, starting with this one.
    pub fn give(&mut self, first: usize, operands: &[ValueRef], from: &Frame) {
        for (slot, operand) in self.plan.inputs.iter().skip(first).zip(operands) {
            if let Some(slot) = slot {
                pass(*operand, from, &mut self.frame, *slot);
            }
        }
    }

    /// Moves the first outputs to the outer frame and empties this one for another run.
    pub fn take(&mut self, results: &[Option<u32>], to: &mut Frame) {
        for (source, slot) in self.plan.outputs.iter().zip(results) {
            if let Some(slot) = slot {
                pass(*source, &self.frame, to, *slot);
            }
        }
        self.frame.release(&self.plan.leftover);
    }
}

/// Passes a value from one frame to another.
pub fn pass(source: ValueRef, from: &Frame, to: &mut Frame, slot: u32) {
    match source {
        ValueRef::Slot(from_slot) => from.share(from_slot, to, slot),
        ValueRef::Number(number) => store(to, slot, number),
        ValueRef::None => to.release(&[slot]),
    }
}

/// Returns a frame of empty slots.
pub fn empty(slots: usize) -> Result<Frame> {
    Frame::new(slots).map_err(Failure::outside_node)
}
