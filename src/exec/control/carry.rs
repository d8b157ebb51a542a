//! Carry: the values that a loop passes from one iteration to the next.

use super::Loop;
use super::subgraph_frame::{empty, pass};
use crate::Result;
use crate::exec::at;
use crate::plan::ValueRef;
use crate::torch::Frame;

/// The values that a loop passes from one round to the next, apart from both plans, so that a body may return
/// them in any order.
pub struct Carry {
    /// Where they are.
    pub frame: Frame,
    /// Each of them, to be read.
    pub sources: Vec<ValueRef>,
    /// Each of them, to be written.
    pub slots: Vec<Option<u32>>,
}

impl Carry {
    /// The first ones.
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

    /// What a loop returns is never the memory it was given, even if it never ran.
    pub fn unshare(&mut self, looping: &Loop<'_>) -> Result<()> {
        for slot in self.slots.iter().flatten() {
            self.frame.unshare(*slot, looping.scope).map_err(|failure| at(looping.label, failure))?;
        }
        Ok(())
    }

    /// Adds what they are now to what was collected in each result.
    pub fn collect(&self, looping: &Loop<'_>, results: &[Option<u32>], outer: &mut Frame) -> Result<()> {
        for (slot, result) in self.slots.iter().flatten().zip(results) {
            let Some(result) = result else { continue };
            self.frame.append(*slot, outer, *result).map_err(|failure| at(looping.label, failure))?;
        }
        Ok(())
    }

    /// Puts them into the results.
    pub fn hand_over(&self, results: &[Option<u32>], outer: &mut Frame) {
        for (source, slot) in self.sources.iter().zip(results) {
            if let Some(slot) = slot {
                pass(*source, &self.frame, outer, *slot);
            }
        }
    }
}
