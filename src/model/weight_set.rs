//! Weight set: one immutable set of weights with all that depends on it.

use super::lazy_constants::LazyConstants;
use super::planned_program::PlannedProgram;
use super::state::ModelState;
use crate::Result;
use crate::exec::CudaGraphCache;
use crate::torch::Device;
use crate::weights::placement::Weights;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Immutable weights, the state that begins as their copy, and the CUDA graphs that hold their
/// addresses.
///
/// A call keeps the weight set that it began with.
#[derive(Debug)]
pub struct WeightSet {
    /// None for a plan with a state, which is not captured.
    pub cuda_graphs: Option<CudaGraphCache>,
    pub weights: Weights,
    /// Constants that the archive's operators compute from the weights when a call needs them.
    pub folded: Arc<LazyConstants>,
    pub state: ModelState,
    device: Device,
}

impl WeightSet {
    /// Makes a weight set. Without a `state`, its state is a copy of the weights.
    pub fn new(
        planned: &PlannedProgram,
        weights: Weights,
        state: Option<ModelState>,
        folded: Arc<LazyConstants>,
    ) -> Result<WeightSet> {
        let device = planned.plan.device;
        let state = match state {
            Some(state) => state,
            None => ModelState::new(device, &weights, planned.written())?,
        };
        if let Some(constants) = folded.made() {
            state.bind(&planned.plan, constants)?;
        }
        Ok(WeightSet { cuda_graphs: planned.cuda_graphs(), weights, folded, state, device })
    }

    /// Prepares a call: the first one computes the constants that were left to calls.
    pub fn begin(&self, planned: &PlannedProgram) -> Result<()> {
        self.state.bind(&planned.plan, self.folded.get(planned)?)
    }

    /// Returns the same weights with a copy of the state. The caller ensures that no call runs on
    /// this weight set.
    pub fn try_clone(&self, planned: &PlannedProgram) -> Result<WeightSet> {
        let state = self.state.try_clone(planned.plan.device)?;
        WeightSet::new(planned, self.weights.clone(), Some(state), Arc::clone(&self.folded))
    }

    /// Returns a weight set with other weights and this state, except in the changed storages.
    ///
    /// If there is a state, the caller ensures that no call runs on this weight set now or later.
    pub fn followed_by(
        &self,
        planned: &PlannedProgram,
        (weights, folded): (Weights, Arc<LazyConstants>),
        changed: &BTreeSet<usize>,
    ) -> Result<WeightSet> {
        let state = self.state.on(planned.plan.device, &weights, changed)?;
        WeightSet::new(planned, weights, Some(state), folded)
    }
}

impl Drop for WeightSet {
    /// Waits for the device: the allocator may reuse memory on one stream while another stream
    /// still reads it.
    fn drop(&mut self) {
        // A lost device also fails the next call, which reports it.
        let _ = self.device.synchronize();
    }
}
