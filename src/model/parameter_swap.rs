//! Swaps weights by name: reads them, sets them, restores those of the archive.

use super::weight_set::WeightSet;
use super::{ExportedModel, Parameter};
use crate::Result;
use crate::torch::{Failure, Tensor};
use crate::weights::placement::Assignment;
use crate::weights::{not_a_clone, require_distinct, require_known};
use std::collections::BTreeSet;
use std::sync::Arc;

impl ExportedModel {
    /// Returns the weights that the program takes: parameters, buffers and constants, in its own
    /// order.
    pub fn parameters(&self) -> &[Parameter] {
        &self.loaded.parameters
    }

    /// Returns the current value of a weight.
    ///
    /// Weights that the program writes to are copied in order with the calls, which waits for the
    /// device. Other tensors share the model's memory, and the caller must not write to them.
    pub fn parameter(&self, name: &str) -> Result<Tensor> {
        self.require_names("name", &[name])?;
        let call = self.current.call()?;
        if call.weight_set.state.writes_to(name) {
            let weights = call.weight_set.state.weights();
            // An expanded tensor has more elements than its storage, so the storage is copied
            // instead.
            return if weights.is_expanded(name) {
                weights.with_copies(&weights.storages_of([name]), self.device())?.plain(name)
            } else {
                self.copied(&weights.plain(name)?)
            };
        }
        let weights = &call.weight_set.weights;
        let storage = weights.storages_of([name]);
        self.loaded.planned.archived.put(weights, &storage)?.plain(name)
    }

    fn copied(&self, tensor: &Tensor) -> Result<Tensor> {
        let copy = tensor.copied().map_err(Failure::outside_node)?;
        self.device().synchronize().map_err(Failure::outside_node)?;
        Ok(copy)
    }

    /// Replaces weights atomically. A call that begins before this returns runs entirely on the old
    /// or on the new ones.
    ///
    /// An error changes nothing. Names that share memory still share it afterwards, as with
    /// PyTorch's `load_state_dict`: a tied weight changes under all its names.
    ///
    /// A tensor's memory is shared if it has the weight's strides and libtorch's alignment (64
    /// bytes on the CPU, 512 on CUDA). The caller must not write to it while a model uses it. All
    /// other tensors are copied, and so are those that the program writes to.
    ///
    /// Dirty constants are folded on this thread before the swap. Constants that the program's
    /// operators compute are left to the first call, if no call has computed them yet. Mutations of
    /// other weights are kept.
    ///
    /// Other models and clones are unaffected. Waits for the device.
    pub fn swap_parameters(&self, given: &[Assignment]) -> Result<()> {
        let names: Vec<&str> = given.iter().map(|(name, _)| *name).collect();
        self.require_names("names", &names)?;
        require_distinct("names", &names)?;
        let planned = &self.loaded.planned;
        let prepare = |now: &WeightSet| {
            let (weights, changed) = now.weights.assign(&planned.archived, given)?;
            Ok((planned.renew(weights, &changed, &now.folded)?, changed))
        };
        let finish = |now: &WeightSet, (weights, changed): (_, BTreeSet<usize>)| {
            Ok(Arc::new(now.followed_by(planned, weights, &changed)?))
        };
        self.current.exchange(prepare, finish)
    }

    /// Restores weights from the archive, atomically as a swap does.
    ///
    /// Restores the named weights with all that shares their memory. Without names, restores all
    /// weights that were swapped. The archive's bytes are read again, so the model keeps no copy of
    /// them.
    pub fn reset_parameters(&self, names: Option<&[&str]>) -> Result<()> {
        self.require_names("names", names.unwrap_or_default())?;
        let planned = &self.loaded.planned;
        let prepare = |now: &WeightSet| {
            let changed = match names {
                Some(names) => now.weights.storages_of(names.iter().copied()),
                None => now.weights.assigned().clone(),
            };
            Ok((planned.restore(&now.weights, &changed, &now.folded)?, changed))
        };
        let finish = |now: &WeightSet, (weights, changed): (_, BTreeSet<usize>)| {
            Ok(Arc::new(now.followed_by(planned, weights, &changed)?))
        };
        self.current.exchange(prepare, finish)
    }

    /// Takes over the weights and folded constants of another clone of the same model.
    ///
    /// Copies and computes nothing. The state is unchanged.
    pub fn share_parameters(&self, source: &ExportedModel) -> Result<()> {
        if !Arc::ptr_eq(&self.loaded, &source.loaded) {
            return Err(not_a_clone());
        }
        let planned = &self.loaded.planned;
        let finish = |now: &WeightSet, shared: Arc<WeightSet>| {
            if self.current.takes_turns() {
                let shared = (shared.weights.clone(), Arc::clone(&shared.folded));
                Ok(Arc::new(now.followed_by(planned, shared, &BTreeSet::new())?))
            } else {
                Ok(shared)
            }
        };
        self.current.exchange(|_| source.current.weight_set(), finish)
    }

    fn require_names(&self, argument: &'static str, names: &[&str]) -> Result<()> {
        require_known(&self.loaded.parameters, "the program's weights", argument, names)
    }
}
