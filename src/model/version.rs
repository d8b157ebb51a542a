//! One set of weights and all that depends on which it is.

use super::folded::Folded;
use super::origin::Origin;
use super::state::State;
use crate::Result;
use crate::run::Recordings;
use crate::torch::Device;
use crate::weights::place::Weights;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A set of weights that never changes, the state that begins as its copy, and the recordings that hold its
/// addresses. Calls keep the version they began with.
#[derive(Debug)]
pub struct Version {
    /// Plans with a state are not recorded.
    pub recordings: Option<Recordings>,
    pub weights: Weights,
    /// What the archive's operators compute from the weights, once a call needs it.
    pub folded: Arc<Folded>,
    pub state: State,
    device: Device,
}

impl Version {
    /// A version with these weights; its state is a copy of them if none is given.
    pub fn new(
        origin: &Origin,
        weights: Weights,
        state: Option<State>,
        folded: Arc<Folded>,
    ) -> Result<Version> {
        let device = origin.plan.device;
        let state = match state {
            Some(state) => state,
            None => State::new(device, &weights, origin.written())?,
        };
        if let Some(constants) = folded.made() {
            state.bind(&origin.plan, constants)?;
        }
        Ok(Version { recordings: origin.recordings(), weights, folded, state, device })
    }

    /// Makes it ready for a call: folds what is left to calls, if this is the first.
    pub fn begin(&self, origin: &Origin) -> Result<()> {
        self.state.bind(&origin.plan, self.folded.get(origin)?)
    }

    /// The same weights with a copy of the state. Nobody runs the version meanwhile.
    pub fn try_clone(&self, origin: &Origin) -> Result<Version> {
        let state = self.state.try_clone(origin.plan.device)?;
        Version::new(origin, self.weights.clone(), Some(state), Arc::clone(&self.folded))
    }

    /// Other weights with the state of this version, but for these storages, in which it begins anew. Nobody runs
    /// this version meanwhile or later, if there is a state.
    pub fn followed_by(
        &self,
        origin: &Origin,
        (weights, folded): (Weights, Arc<Folded>),
        changed: &BTreeSet<usize>,
    ) -> Result<Version> {
        let state = self.state.on(origin.plan.device, &weights, changed)?;
        Version::new(origin, weights, Some(state), folded)
    }
}

impl Drop for Version {
    /// The allocator may give memory away on one stream while work that is queued on another still reads it.
    fn drop(&mut self) {
        // Nothing can be done about a device that was lost.
        let _ = self.device.synchronize();
    }
}
