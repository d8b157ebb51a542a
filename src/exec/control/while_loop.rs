//! While loops: they run as long as a graph returns true.

use super::carry::Carry;
use super::subgraph_frame::SubgraphFrame;
use super::{Loop, is_true};
use crate::Result;
use crate::exec::steps;
use crate::plan::{Plan, ValueRef};
use crate::torch::Frame;

/// Graphs of one iteration.
pub struct Iteration<'a> {
    /// Returns true if there is another iteration.
    pub condition: &'a Plan,
    /// Returns the values carried to the next iteration.
    pub body: &'a Plan,
    /// True if the loop returns the values of every iteration, stacked.
    pub stacked: bool,
}

impl Loop<'_> {
    /// Runs the body until the condition is false.
    pub fn while_loop(
        &self,
        round: &Iteration<'_>,
        carried: &[ValueRef],
        results: &[Option<u32>],
        outer: &mut Frame,
    ) -> Result<()> {
        let mut values = Carry::new(carried, outer)?;
        let (mut condition, mut body) =
            (SubgraphFrame::new(round.condition)?, SubgraphFrame::new(round.body)?);
        let mut ran = false;
        while self.goes_on(&mut condition, &values, outer)? {
            self.round(&mut body, &values, outer)?;
            body.take(&values.slots, &mut values.frame);
            if round.stacked {
                values.collect(self, results, outer)?;
            }
            ran = true;
        }
        if round.stacked {
            // Without an iteration, the initial values are stacked.
            if !ran {
                values.collect(self, results, outer)?;
            }
            return self.stack(results, outer);
        }
        if !ran {
            values.unshare(self)?;
        }
        values.hand_over(results, outer);
        Ok(())
    }

    fn goes_on(&self, condition: &mut SubgraphFrame<'_>, values: &Carry, outer: &Frame) -> Result<bool> {
        self.round(condition, values, outer)?;
        let answer = condition.plan.outputs.first().copied().unwrap_or(ValueRef::None);
        let truth = is_true(answer, &condition.frame, self.label, self.scope)?;
        condition.frame.release(&condition.plan.leftover);
        Ok(truth)
    }

    fn round(&self, nested: &mut SubgraphFrame<'_>, values: &Carry, outer: &Frame) -> Result<()> {
        nested.give(0, &values.sources, &values.frame);
        nested.give(values.sources.len(), self.extra, outer);
        steps(nested.plan, self.scope, &mut nested.frame)
    }
}
