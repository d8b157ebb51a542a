//! The active weight set of a model, on which its next call runs.

use super::background::Background;
use super::weight_set::WeightSet;
use crate::Result;
use crate::lock::lock;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard};

/// The current weight set. Exchanging it waits for no call, unless calls write to a state.
#[derive(Debug)]
pub struct ActiveWeights {
    stage: Mutex<ActiveSet>,
    /// Of a program with a state: calls, copies and exchanges take turns.
    turn: Option<Mutex<()>>,
    /// Exchanges are made one after the other, so that none is lost.
    exchange: Mutex<()>,
}

/// Where the current weight set is.
#[derive(Debug)]
pub enum ActiveSet {
    /// A thread is making it.
    Pending(Background<Arc<WeightSet>>),
    Ready(Arc<WeightSet>),
}

/// The weight set that a call runs on, and its turn if the program has a state.
#[derive(Debug)]
pub struct CallGuard<'a> {
    pub weight_set: Arc<WeightSet>,
    _turn: Option<MutexGuard<'a, ()>>,
}

impl ActiveWeights {
    pub fn new(first: ActiveSet, takes_turns: bool) -> ActiveWeights {
        let turn = takes_turns.then(Mutex::default);
        ActiveWeights { stage: Mutex::new(first), turn, exchange: Mutex::default() }
    }

    /// Whether calls write to a state.
    pub fn takes_turns(&self) -> bool {
        self.turn.is_some()
    }

    /// Begins a call; waits for the constants if they are still being computed.
    pub fn call(&self) -> Result<CallGuard<'_>> {
        let _turn = self.turn.as_ref().map(lock);
        Ok(CallGuard { weight_set: self.weight_set()?, _turn })
    }

    /// The weight set that a call would begin with now.
    pub fn weight_set(&self) -> Result<Arc<WeightSet>> {
        let mut stage = lock(&self.stage);
        let weight_set = match &*stage {
            ActiveSet::Ready(weight_set) => return Ok(Arc::clone(weight_set)),
            ActiveSet::Pending(first) => Arc::clone(first.get()?),
        };
        *stage = ActiveSet::Ready(Arc::clone(&weight_set));
        Ok(weight_set)
    }

    /// The same if nobody has to wait for it.
    pub fn ready(&self) -> Option<Arc<WeightSet>> {
        match &*lock(&self.stage) {
            ActiveSet::Ready(weight_set) => Some(Arc::clone(weight_set)),
            ActiveSet::Pending(_) => None,
        }
    }

    /// Exchanges the weight set. `prepare` works beside the calls; `finish` makes the new weight set while no call of a
    /// program with a state runs. An error changes nothing.
    pub fn exchange<T>(
        &self,
        prepare: impl FnOnce(&WeightSet) -> Result<T>,
        finish: impl FnOnce(&WeightSet, T) -> Result<Arc<WeightSet>>,
    ) -> Result<()> {
        let _exchange = lock(&self.exchange);
        let prepared = prepare(&*self.weight_set()?)?;
        let call = self.call()?;
        let next = finish(&call.weight_set, prepared)?;
        let before = mem::replace(&mut *lock(&self.stage), ActiveSet::Ready(next));
        // Whoever holds the old weight set last waits for the device: nobody should wait for that.
        drop(call);
        drop(before);
        Ok(())
    }
}
