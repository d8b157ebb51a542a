//! Carry: the values that a loop passes from one iteration to the next.

use super::Loop;
use super::subgraph_frame::{empty, pass};
use crate::Result;
use crate::exec::at;
use crate::plan::ValueRef;
use crate::torch::Frame;

/// Carried values of a loop. They are in no plan's frame, so that a body may return them in any
/// order.
pub struct Carry {
    /// Frame that holds the values.
    pub frame: Frame,
    /// Places to read each value from.
    pub sources: Vec<ValueRef>,
    /// Slots to write each value to.
    pub slots: Vec<Option<u32>>,
}

impl Carry {
    /// Fills the carry with the initial values.
    pub fn new(first: &[ValueRef], outer: &Frame) -> Result<Carry> {
        let mut frame = empty(first.len())?;
        let slots = (0..).take(first.len());
        for (slot, source) in slots.clone().zip(first) {
            pass(*source, outer, &mut frame, slot);
        }
        Ok(Carry {
            frame,
            sources: slots.clone().map(ValueRef::Slot).collect(),
            slots: slots.map(Some).collect(),
        })
    }

    /// Copies the values after a loop without iterations: a loop never returns its operands'
    /// memory.
    pub fn unshare(&mut self, looping: &Loop<'_>) -> Result<()> {
        for slot in self.slots.iter().flatten() {
            self.frame.unshare(*slot, looping.scope).map_err(|failure| at(looping.label, failure))?;
        }
        Ok(())
    }

    /// Appends the current values to the values collected for each result.
    pub fn collect(&self, looping: &Loop<'_>, results: &[Option<u32>], outer: &mut Frame) -> Result<()> {
        for (slot, result) in self.slots.iter().flatten().zip(results) {
            let Some(result) = result else { continue };
            self.frame.append(*slot, outer, *result).map_err(|failure| at(looping.label, failure))?;
        }
        Ok(())
    }

    /// Stores the current values in the results.
    pub fn hand_over(&self, results: &[Option<u32>], outer: &mut Frame) {
        for (source, slot) in self.sources.iter().zip(results) {
            if let Some(slot) = slot {
                pass(*source, &self.frame, outer, *slot);
            }
        }
    }
}
