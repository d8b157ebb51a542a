//! Weight set: one immutable set of weights with all that depends on it.

use super::lazy_constants::LazyConstants;
use super::state::ModelState;
use super::weight_set_builder::WeightSetBuilder;
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
        builder: &WeightSetBuilder,
        weights: Weights,
        state: Option<ModelState>,
        folded: Arc<LazyConstants>,
    ) -> Result<WeightSet> {
        let device = builder.plan.device;
        let state = match state {
            Some(state) => state,
            None => ModelState::new(device, &weights, builder.written())?,
        };
        if let Some(constants) = folded.made() {
            state.bind(&builder.plan, constants)?;
        }
        Ok(WeightSet { cuda_graphs: builder.cuda_graphs(), weights, folded, state, device })
    }

    /// Prepares a call: the first one computes the constants that were left to calls.
    pub fn begin(&self, builder: &WeightSetBuilder) -> Result<()> {
        self.state.bind(&builder.plan, self.folded.get(builder)?)
    }

    /// Returns the same weights with a copy of the state. The caller ensures that no call runs on
    /// this weight set.
    pub fn try_clone(&self, builder: &WeightSetBuilder) -> Result<WeightSet> {
        let state = self.state.try_clone(builder.plan.device)?;
        WeightSet::new(builder, self.weights.clone(), Some(state), Arc::clone(&self.folded))
    }

    /// Returns a weight set with other weights and this state, except in the changed storages.
    ///
    /// If there is a state, the caller ensures that no call runs on this weight set now or later.
    pub fn followed_by(
        &self,
        builder: &WeightSetBuilder,
        (weights, folded): (Weights, Arc<LazyConstants>),
        changed: &BTreeSet<usize>,
    ) -> Result<WeightSet> {
        let state = self.state.on(builder.plan.device, &weights, changed)?;
        WeightSet::new(builder, weights, Some(state), folded)
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
