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

/// A set of weights that never changes, the state that begins as its copy, and the captured graphs that hold its
/// addresses. Calls keep the weight set they began with.
#[derive(Debug)]
pub struct WeightSet {
    /// Plans with a state are not recorded.
    pub cuda_graphs: Option<CudaGraphCache>,
    pub weights: Weights,
    /// What the archive's operators compute from the weights, once a call needs it.
    pub folded: Arc<LazyConstants>,
    pub state: ModelState,
    device: Device,
}

impl WeightSet {
    /// A weight set with these weights; its state is a copy of them if none is given.
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

    /// Makes it ready for a call: folds what is left to calls, if this is the first.
    pub fn begin(&self, builder: &WeightSetBuilder) -> Result<()> {
        self.state.bind(&builder.plan, self.folded.get(builder)?)
    }

    /// The same weights with a copy of the state. Nobody runs the weight set meanwhile.
    pub fn try_clone(&self, builder: &WeightSetBuilder) -> Result<WeightSet> {
        let state = self.state.try_clone(builder.plan.device)?;
        WeightSet::new(builder, self.weights.clone(), Some(state), Arc::clone(&self.folded))
    }

    /// Other weights with the state of this weight set, but for these storages, in which it begins anew. Nobody runs
    /// this weight set meanwhile or later, if there is a state.
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
    /// The allocator may give memory away on one stream while work that is queued on another still reads it.
    fn drop(&mut self) {
        // Nothing can be done about a device that was lost.
        let _ = self.device.synchronize();
    }
}
