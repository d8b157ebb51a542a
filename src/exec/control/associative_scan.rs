//! Associative scans: combine neighbouring rows first, which halves the rows each time.
//!
//! The order of combinations decides the last bits, so it is that of `generic_associative_scan` in
//! `torch/_higher_order_ops/associative_scan.py` (2.11).

use super::Loop;
use super::subgraph_frame::SubgraphFrame;
use crate::exec::{at, deliver, refused, steps};
use crate::plan::{Plan, ValueRef};
use crate::torch::{Failure, Frame, Tensor};
use crate::{Error, Result};

impl Loop<'_> {
    /// Scans the rows of some tensors with a graph that combines two rows.
    pub fn associative_scan(
        &self,
        body: &Plan,
        rows: &[u32],
        results: &[Option<u32>],
        outer: &mut Frame,
    ) -> Result<()> {
        let values = rows.iter().map(|slot| self.operand(*slot, outer)).collect::<Result<Vec<_>>>()?;
        let mut combination = Combination { looping: self, body: SubgraphFrame::new(body)?, outer };
        let combined = combination.scan(values)?;
        for (slot, value) in results.iter().zip(&combined) {
            let Some(slot) = slot else { continue };
            outer.set_tensor(*slot, value);
            // A single row is returned unchanged, so it may still alias the operand.
            outer.unshare(*slot, self.scope).map_err(|failure| at(self.label, failure))?;
        }
        Ok(())
    }

    fn operand(&self, slot: u32, outer: &Frame) -> Result<Tensor> {
        deliver(ValueRef::Slot(slot), outer)?.ok_or_else(|| self.refused("a tensor is missing"))
    }

    fn refused(&self, reason: &str) -> Error {
        refused(self.label, reason.into())
    }
}

/// State of one associative scan.
struct Combination<'a> {
    looping: &'a Loop<'a>,
    body: SubgraphFrame<'a>,
    outer: &'a Frame,
}

impl Combination<'_> {
    fn scan(&mut self, values: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let count = self.count(&values)?;
        if count < 2 {
            return Ok(values);
        }
        let pairs = self.combine(&self.rows(&values, 0, 1, 2)?, &self.rows(&values, 1, 0, 2)?)?;
        let odd = self.scan(pairs)?;
        let before = if count % 2 == 0 { &self.rows(&odd, 0, 1, 1)? } else { &odd };
        let even = self.combine(before, &self.rows(&values, 2, 0, 2)?)?;
        let even = self.with_first_row(&values, even)?;
        let turns = even.iter().zip(&odd);
        self.each(turns.map(|(even, odd)| even.interleaved(odd, self.looping.scope)))
    }

    /// Returns the number of rows, which all tensors must share.
    fn count(&self, values: &[Tensor]) -> Result<i64> {
        let counts: Vec<i64> =
            values.iter().filter_map(|value| value.view().sizes.first().copied()).collect();
        match counts.as_slice() {
            [first, rest @ ..] if counts.len() == values.len() && rest.iter().all(|count| count == first) => {
                Ok(*first)
            }
            _ => Err(self.looping.refused(&format!("takes tensors of as many rows each, not {counts:?}"))),
        }
    }

    fn rows(&self, values: &[Tensor], start: i64, skipped: i64, step: i64) -> Result<Vec<Tensor>> {
        self.each(values.iter().map(|value| value.rows(start, skipped, step, self.looping.scope)))
    }

    fn combine(&mut self, before: &[Tensor], after: &[Tensor]) -> Result<Vec<Tensor>> {
        let slots = self.body.plan.inputs.iter();
        for (slot, value) in slots.zip(before.iter().chain(after)) {
            if let Some(slot) = slot {
                self.body.frame.set_tensor(*slot, value);
            }
        }
        self.body.give(before.len() + after.len(), self.looping.extra, self.outer);
        steps(self.body.plan, self.looping.scope, &mut self.body.frame)?;
        let outputs = self.body.plan.outputs.iter().map(|output| deliver(*output, &self.body.frame));
        let outputs = outputs.collect::<Result<Option<Vec<_>>>>();
        self.body.frame.release(&self.body.plan.leftover);
        outputs?.ok_or_else(|| self.looping.refused("the graph returned None"))
    }

    /// Prepends the first row, which is its own prefix.
    fn with_first_row(&self, values: &[Tensor], even: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let scope = self.looping.scope;
        let first = self.each(values.iter().map(|value| value.first_row(scope)))?;
        let joined = first.into_iter().zip(even).map(|(first, rest)| {
            if rest.view().elements > 0 { first.followed_by(&rest, scope) } else { Ok(first) }
        });
        self.each(joined)
    }

    fn each(&self, made: impl Iterator<Item = Result<Tensor, Failure>>) -> Result<Vec<Tensor>> {
        made.collect::<Result<_, _>>().map_err(|failure| at(self.looping.label, failure))
    }
}
