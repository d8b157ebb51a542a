//! The weights that a model's calls read now.

use super::deferred::Deferred;
use super::version::Version;
use crate::Result;
use crate::lock::lock;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard};

/// The current version. Exchanging it waits for no call, unless calls write to a state.
#[derive(Debug)]
pub struct Current {
    stage: Mutex<Stage>,
    /// Of a program with a state: calls, copies and exchanges take turns.
    turn: Option<Mutex<()>>,
    /// Exchanges are made one after the other, so that none is lost.
    exchange: Mutex<()>,
}

/// Where the current version is.
#[derive(Debug)]
pub enum Stage {
    /// A thread is making it.
    Coming(Deferred<Arc<Version>>),
    Here(Arc<Version>),
}

/// The version that a call runs on, and its turn if the program has a state.
#[derive(Debug)]
pub struct Call<'a> {
    pub version: Arc<Version>,
    _turn: Option<MutexGuard<'a, ()>>,
}

impl Current {
    pub fn new(first: Stage, takes_turns: bool) -> Current {
        let turn = takes_turns.then(Mutex::default);
        Current { stage: Mutex::new(first), turn, exchange: Mutex::default() }
    }

    /// Whether calls write to a state.
    pub fn takes_turns(&self) -> bool {
        self.turn.is_some()
    }

    /// Begins a call; waits for the constants if they are still being computed.
    pub fn call(&self) -> Result<Call<'_>> {
        let _turn = self.turn.as_ref().map(lock);
        Ok(Call { version: self.version()?, _turn })
    }

    /// The version that a call would begin with now.
    pub fn version(&self) -> Result<Arc<Version>> {
        let mut stage = lock(&self.stage);
        let version = match &*stage {
            Stage::Here(version) => return Ok(Arc::clone(version)),
            Stage::Coming(first) => Arc::clone(first.get()?),
        };
        *stage = Stage::Here(Arc::clone(&version));
        Ok(version)
    }

    /// The same if nobody has to wait for it.
    pub fn ready(&self) -> Option<Arc<Version>> {
        match &*lock(&self.stage) {
            Stage::Here(version) => Some(Arc::clone(version)),
            Stage::Coming(_) => None,
        }
    }

    /// Exchanges the version. `prepare` works beside the calls; `finish` makes the new version while no call of a
    /// program with a state runs. An error changes nothing.
    pub fn exchange<T>(
        &self,
        prepare: impl FnOnce(&Version) -> Result<T>,
        finish: impl FnOnce(&Version, T) -> Result<Arc<Version>>,
    ) -> Result<()> {
        let _exchange = lock(&self.exchange);
        let prepared = prepare(&*self.version()?)?;
        let call = self.call()?;
        let next = finish(&call.version, prepared)?;
        let before = mem::replace(&mut *lock(&self.stage), Stage::Here(next));
        // Whoever holds the old version last waits for the device: nobody should wait for that.
        drop(call);
        drop(before);
        Ok(())
    }
}
