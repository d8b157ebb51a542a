//! Loops over the rows of tensors.

use super::Loop;
use super::carry::Carry;
use super::subgraph_frame::SubgraphFrame;
use crate::Result;
use crate::exec::{at, refused, steps};
use crate::plan::{Plan, ValueRef};
use crate::torch::{Failure, Frame};

impl Loop<'_> {
    /// Runs the body on each row in turn.
    pub fn scan(
        &self,
        body: &Plan,
        carried: &[ValueRef],
        rows: &[u32],
        results: &[Option<u32>],
        outer: &mut Frame,
    ) -> Result<()> {
        let mut values = Carry::new(carried, outer)?;
        let mut body = SubgraphFrame::new(body)?;
        let (last, stacked) = results.split_at(carried.len());
        for row in 0..self.count(rows, outer)? {
            body.give(0, &values.sources, &values.frame);
            self.give_row(&mut body, carried.len(), rows, row, outer)?;
            body.give(carried.len() + rows.len(), self.extra, outer);
            steps(body.plan, self.scope, &mut body.frame)?;
            self.collect(&body, carried.len(), stacked, outer)?;
            body.take(&values.slots, &mut values.frame);
        }
        self.stack(stacked, outer)?;
        values.hand_over(last, outer);
        Ok(())
    }

    /// Returns the number of rows, which all tensors must share.
    fn count(&self, rows: &[u32], outer: &Frame) -> Result<i64> {
        let counts: Vec<i64> = rows
            .iter()
            .map(|slot| outer.rows(*slot))
            .collect::<Result<_, Failure>>()
            .map_err(|failure| at(self.label, failure))?;
        match counts.as_slice() {
            [first, rest @ ..] if *first > 0 && rest.iter().all(|count| count == first) => Ok(*first),
            _ => Err(refused(self.label, format!("takes tensors of as many rows each, not {counts:?}"))),
        }
    }

    fn give_row(
        &self,
        body: &mut SubgraphFrame<'_>,
        first: usize,
        rows: &[u32],
        row: i64,
        outer: &Frame,
    ) -> Result<()> {
        for (slot, tensor) in body.plan.inputs.iter().skip(first).zip(rows) {
            if let Some(slot) = slot {
                let given = outer.row(*tensor, row, &mut body.frame, *slot, self.scope);
                given.map_err(|failure| at(self.label, failure))?;
            }
        }
        Ok(())
    }

    fn collect(
        &self,
        body: &SubgraphFrame<'_>,
        first: usize,
        stacked: &[Option<u32>],
        outer: &mut Frame,
    ) -> Result<()> {
        for (source, slot) in body.plan.outputs.iter().skip(first).zip(stacked) {
            if let (ValueRef::Slot(source), Some(slot)) = (source, slot) {
                let added = body.frame.append(*source, outer, *slot);
                added.map_err(|failure| at(self.label, failure))?;
            }
        }
        Ok(())
    }

    /// Stacks the collected rows into tensors.
    pub fn stack(&self, stacked: &[Option<u32>], outer: &mut Frame) -> Result<()> {
        let stack = |slot: &u32| outer.stack(*slot, self.scope);
        stacked.iter().flatten().try_for_each(stack).map_err(|failure| at(self.label, failure))
    }
}
