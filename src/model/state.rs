//! The weights of one model, and of them the part that its program writes to.

use crate::lock::lock;
use crate::plan::Plan;
use crate::torch::{Frame, Tensor};
use crate::weights::place::Weights;
use crate::{Result, run};
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard};

/// Weights, and frames that hold them. The storages that the program writes to are this state's own; all others
/// are shared with every state of the same program.
#[derive(Debug)]
pub struct State {
    weights: Weights,
    bound: Vec<(u32, Tensor)>,
    /// The storages that the program writes to. What shares one with a tensor that is written to sees the write.
    written: BTreeSet<usize>,
    idle: Mutex<Vec<Frame>>,
    turn: Mutex<()>,
}

impl State {
    /// A state that begins with the content of these weights and never writes to their memory.
    pub fn new(plan: &Plan, weights: &Weights) -> Result<State> {
        State::of(plan, weights, weights.storages_of(&plan.effects.state))
    }

    /// A state of its own that begins with the content of this one.
    pub fn try_clone(&self, plan: &Plan) -> Result<State> {
        let _turn = self.turn();
        State::of(plan, &self.weights, self.written.clone())
    }

    fn of(plan: &Plan, weights: &Weights, written: BTreeSet<usize>) -> Result<State> {
        let weights =
            if written.is_empty() { weights.clone() } else { weights.with_copies(&written, plan.device)? };
        let bound = plan.weights.iter().map(|(slot, name)| Ok((*slot, weights.tensor(name)?)));
        let bound = bound.collect::<Result<_>>()?;
        Ok(State { weights, bound, written, idle: Mutex::default(), turn: Mutex::default() })
    }

    /// The weights with the slots they stay in.
    pub fn weights(&self) -> &[(u32, Tensor)] {
        &self.bound
    }

    /// Whether nothing is ever written to it.
    pub fn is_constant(&self) -> bool {
        self.written.is_empty()
    }

    /// Copies the content of the weights it began with back, on the thread's current stream.
    pub fn fill_from(&self, weights: &Weights) -> Result<()> {
        self.weights.fill_from(weights, &self.written)
    }

    /// Calls that write take turns; others need not wait.
    pub fn turn(&self) -> Option<MutexGuard<'_, ()>> {
        (!self.is_constant()).then(|| lock(&self.turn))
    }

    /// A frame that no call uses.
    pub fn frame(&self, plan: &Plan) -> Result<Frame> {
        let idle = lock(&self.idle).pop();
        idle.map_or_else(|| run::frame(plan, &self.bound), Ok)
    }

    /// Takes back a frame that holds nothing but the weights.
    pub fn put_back(&self, frame: Frame) {
        lock(&self.idle).push(frame);
    }
}
