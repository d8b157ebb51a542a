//! Control flow: steps that run plans inside the plan, each on a frame of its own.

use super::{at, read, refused, steps, store};
use crate::Result;
use crate::plan::{Control, Label, Plan, Source};
use crate::torch::{Autocast, Failure, Frame, Scope};

/// Runs one step that runs plans.
pub fn run(control: &Control, label: &Label, scope: &Scope, frame: &mut Frame) -> Result<()> {
    match control {
        Control::Branch { predicate, yes, no, operands, results } => {
            let chosen = if is_true(*predicate, frame, label, scope)? { yes } else { no };
            call(chosen, operands, results, scope, frame)
        }
        Control::Autocast { enabled, dtype, body, operands, results } => {
            let failed = |failure| at(label, failure);
            let _mode = Autocast::enter(body.device, *dtype, *enabled).map_err(failed)?;
            call(body, operands, results, scope, frame)
        }
        Control::Pointwise { program, body, operands, results } => {
            let done = match results.first() {
                Some(Some(to)) => {
                    program.run(frame, operands, *to, scope).map_err(|failure| at(label, failure))?
                }
                _ => true,
            };
            if done {
                return Ok(());
            }
            let sources: Vec<Source> = operands.iter().copied().map(Source::Slot).collect();
            call(body, &sources, results, scope, frame)
        }
        Control::While { condition, body, carried, extra, results } => {
            let looping = Loop { label, scope, extra };
            looping.repeat(condition, body, carried, results, frame)
        }
        Control::Scan { body, carried, rows, extra, results } => {
            let looping = Loop { label, scope, extra };
            looping.scan(body, carried, rows, results, frame)
        }
    }
}

fn is_true(predicate: Source, frame: &Frame, label: &Label, scope: &Scope) -> Result<bool> {
    match predicate {
        Source::Slot(slot) => frame.is_true(slot, scope).map_err(|failure| at(label, failure)),
        constant => {
            read(constant, frame).map(|number| number.is_true()).map_err(|reason| refused(label, reason))
        }
    }
}

fn call(
    plan: &Plan,
    operands: &[Source],
    results: &[Option<u32>],
    scope: &Scope,
    frame: &mut Frame,
) -> Result<()> {
    let mut inner = Nested::new(plan)?;
    inner.give(0, operands, frame);
    steps(plan, scope, &mut inner.frame)?;
    inner.take(results, frame);
    Ok(())
}

/// A plan inside the plan with its frame, for as long as one step of the outer plan lasts.
struct Nested<'a> {
    plan: &'a Plan,
    frame: Frame,
}

impl Nested<'_> {
    fn new(plan: &Plan) -> Result<Nested<'_>> {
        Ok(Nested { plan, frame: empty(plan.slots)? })
    }

    /// Fills the inputs from this one on.
    fn give(&mut self, first: usize, operands: &[Source], from: &Frame) {
        for (slot, operand) in self.plan.inputs.iter().skip(first).zip(operands) {
            if let Some(slot) = slot {
                pass(*operand, from, &mut self.frame, *slot);
            }
        }
    }

    /// Hands over the first outputs and empties the frame for another run.
    fn take(&mut self, results: &[Option<u32>], to: &mut Frame) {
        for (source, slot) in self.plan.outputs.iter().zip(results) {
            if let Some(slot) = slot {
                pass(*source, &self.frame, to, *slot);
            }
        }
        self.frame.release(&self.plan.leftover);
    }
}

/// What stays the same from one round to the next.
struct Loop<'a> {
    label: &'a Label,
    scope: &'a Scope,
    extra: &'a [Source],
}

impl Loop<'_> {
    fn repeat(
        &self,
        condition: &Plan,
        body: &Plan,
        carried: &[Source],
        results: &[Option<u32>],
        outer: &mut Frame,
    ) -> Result<()> {
        let mut values = Carried::new(carried, outer)?;
        let (mut condition, mut body) = (Nested::new(condition)?, Nested::new(body)?);
        let mut ran = false;
        while self.goes_on(&mut condition, &values, outer)? {
            self.round(&mut body, &values, outer)?;
            body.take(&values.slots, &mut values.frame);
            ran = true;
        }
        if !ran {
            values.unshare(self)?;
        }
        values.hand_over(results, outer);
        Ok(())
    }

    fn goes_on(&self, condition: &mut Nested<'_>, values: &Carried, outer: &Frame) -> Result<bool> {
        self.round(condition, values, outer)?;
        let answer = condition.plan.outputs.first().copied().unwrap_or(Source::None);
        let truth = is_true(answer, &condition.frame, self.label, self.scope)?;
        condition.frame.release(&condition.plan.leftover);
        Ok(truth)
    }

    fn round(&self, nested: &mut Nested<'_>, values: &Carried, outer: &Frame) -> Result<()> {
        nested.give(0, &values.sources, &values.frame);
        nested.give(values.sources.len(), self.extra, outer);
        steps(nested.plan, self.scope, &mut nested.frame)
    }

    fn scan(
        &self,
        body: &Plan,
        carried: &[Source],
        rows: &[u32],
        results: &[Option<u32>],
        outer: &mut Frame,
    ) -> Result<()> {
        let mut values = Carried::new(carried, outer)?;
        let mut body = Nested::new(body)?;
        let (last, stacked) = results.split_at(carried.len());
        for row in 0..self.count(rows, outer)? {
            body.give(0, &values.sources, &values.frame);
            self.give_row(&mut body, carried.len(), rows, row, outer)?;
            body.give(carried.len() + rows.len(), self.extra, outer);
            steps(body.plan, self.scope, &mut body.frame)?;
            self.collect(&body, carried.len(), stacked, outer)?;
            body.take(&values.slots, &mut values.frame);
        }
        for slot in stacked.iter().flatten() {
            outer.stack(*slot, self.scope).map_err(|failure| at(self.label, failure))?;
        }
        values.hand_over(last, outer);
        Ok(())
    }

    /// How many rows all of the tensors have.
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
        body: &mut Nested<'_>,
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
        body: &Nested<'_>,
        first: usize,
        stacked: &[Option<u32>],
        outer: &mut Frame,
    ) -> Result<()> {
        for (source, slot) in body.plan.outputs.iter().skip(first).zip(stacked) {
            if let (Source::Slot(source), Some(slot)) = (source, slot) {
                let added = body.frame.append(*source, outer, *slot);
                added.map_err(|failure| at(self.label, failure))?;
            }
        }
        Ok(())
    }
}

/// The values that a loop passes from one round to the next, apart from both plans, so that a body may return
/// them in any order.
struct Carried {
    frame: Frame,
    sources: Vec<Source>,
    slots: Vec<Option<u32>>,
}

impl Carried {
    fn new(first: &[Source], outer: &Frame) -> Result<Carried> {
        let mut frame = empty(first.len())?;
        let slots = (0..).take(first.len());
        for (slot, source) in slots.clone().zip(first) {
            pass(*source, outer, &mut frame, slot);
        }
        Ok(Carried {
            frame,
            sources: slots.clone().map(Source::Slot).collect(),
            slots: slots.map(Some).collect(),
        })
    }

    /// What a loop returns is never the memory it was given, even if it never ran.
    fn unshare(&mut self, looping: &Loop<'_>) -> Result<()> {
        for slot in self.slots.iter().flatten() {
            self.frame.unshare(*slot, looping.scope).map_err(|failure| at(looping.label, failure))?;
        }
        Ok(())
    }

    fn hand_over(&self, results: &[Option<u32>], outer: &mut Frame) {
        for (source, slot) in self.sources.iter().zip(results) {
            if let Some(slot) = slot {
                pass(*source, &self.frame, outer, *slot);
            }
        }
    }
}

fn pass(source: Source, from: &Frame, to: &mut Frame, slot: u32) {
    match source {
        Source::Slot(from_slot) => from.share(from_slot, to, slot),
        Source::Number(number) => store(to, slot, number),
        Source::None => to.release(&[slot]),
    }
}

fn empty(slots: usize) -> Result<Frame> {
    Frame::new(slots).map_err(Failure::outside_node)
}
