//! Active weight set of a model, on which its next call runs.

use super::background::Background;
use super::weight_set::WeightSet;
use crate::Result;
use crate::lock::lock;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard};

/// Active weight set. A swap waits for no call, unless the program has a state.
#[derive(Debug)]
pub struct ActiveWeights {
    stage: Mutex<ActiveSet>,
    /// Lock of a program with a state: calls, copies and swaps run one at a time. None without a
    /// state.
    turn: Option<Mutex<()>>,
    /// Lock that serialises swaps, so that none is lost.
    exchange: Mutex<()>,
}

/// Active weight set, or the thread that makes it.
#[derive(Debug)]
pub enum ActiveSet {
    /// A thread is making it.
    Pending(Background<Arc<WeightSet>>),
    Ready(Arc<WeightSet>),
}

/// Weight set of a call, and the lock if the program has a state.
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

    /// Returns true if calls write to a state.
    pub fn takes_turns(&self) -> bool {
        self.turn.is_some()
    }

    /// Begins a call. Waits while the constants are being computed.
    pub fn call(&self) -> Result<CallGuard<'_>> {
        let _turn = self.turn.as_ref().map(lock);
        Ok(CallGuard { weight_set: self.weight_set()?, _turn })
    }

    /// Returns the weight set on which a call would run now.
    pub fn weight_set(&self) -> Result<Arc<WeightSet>> {
        let mut stage = lock(&self.stage);
        let weight_set = match &*stage {
            ActiveSet::Ready(weight_set) => return Ok(Arc::clone(weight_set)),
            ActiveSet::Pending(first) => Arc::clone(first.get()?),
        };
        *stage = ActiveSet::Ready(Arc::clone(&weight_set));
        Ok(weight_set)
    }

    /// Returns the weight set on which a call would run now; None if it is not ready.
    pub fn ready(&self) -> Option<Arc<WeightSet>> {
        match &*lock(&self.stage) {
            ActiveSet::Ready(weight_set) => Some(Arc::clone(weight_set)),
            ActiveSet::Pending(_) => None,
        }
    }

    /// Swaps the weight set. An error changes nothing.
    ///
    /// `prepare` runs concurrently with calls. `finish` makes the new weight set; no call of a
    /// program with a state runs during it.
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
        // Dropping the last reference to the old weight set waits for the device. Calls need not
        // wait for that, so the lock is released first.
        drop(call);
        drop(before);
        Ok(())
    }
}
