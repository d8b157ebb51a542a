//! Control flow: steps that run plans inside the plan, each on a frame of its own.

mod associative_scan;
mod carry;
mod scan;
mod subgraph_frame;
mod while_loop;

use super::{at, read, refused, steps};
use crate::Result;
use crate::plan::{Control, Label, Plan, ValueRef};
use crate::torch::{Autocast, Frame, Scope};
use subgraph_frame::SubgraphFrame;
use while_loop::Iteration;

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
            let at_once = |to: u32| program.run(frame, operands, to, scope);
            let done = results.first().copied().flatten().map_or(Ok(true), at_once);
            if done.map_err(|failure| at(label, failure))? {
                return Ok(());
            }
            let operands: Vec<ValueRef> = operands.iter().copied().map(ValueRef::Slot).collect();
            call(body, &operands, results, scope, frame)
        }
        Control::While { condition, body, carried, extra, stacked, results } => {
            let looping = Loop { label, scope, extra };
            let round = Iteration { condition, body, stacked: *stacked };
            looping.while_loop(&round, carried, results, frame)
        }
        Control::Scan { body, carried, rows, extra, results } => {
            let looping = Loop { label, scope, extra };
            looping.scan(body, carried, rows, results, frame)
        }
        Control::Associate { body, rows, extra, results } => {
            let looping = Loop { label, scope, extra };
            looping.associative_scan(body, rows, results, frame)
        }
    }
}

fn is_true(predicate: ValueRef, frame: &Frame, label: &Label, scope: &Scope) -> Result<bool> {
    match predicate {
        ValueRef::Slot(slot) => frame.is_true(slot, scope).map_err(|failure| at(label, failure)),
        constant => {
            read(constant, frame).map(|number| number.truth()).map_err(|reason| refused(label, reason))
        }
    }
}

fn call(
    plan: &Plan,
    operands: &[ValueRef],
    results: &[Option<u32>],
    scope: &Scope,
    frame: &mut Frame,
) -> Result<()> {
    let mut inner = SubgraphFrame::new(plan)?;
    inner.give(0, operands, frame);
    steps(plan, scope, &mut inner.frame)?;
    inner.take(results, frame);
    Ok(())
}

/// Context that all iterations of a loop share.
struct Loop<'a> {
    label: &'a Label,
    scope: &'a Scope,
    extra: &'a [ValueRef],
}
