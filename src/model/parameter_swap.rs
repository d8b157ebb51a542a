//! Swaps weights by name: reads them, sets them, restores the archive's.

use super::weight_set::WeightSet;
use super::{ExportedModel, Parameter};
use crate::Result;
use crate::torch::{Failure, Tensor};
use crate::weights::placement::Assignment;
use crate::weights::{not_a_clone, require_distinct, require_known};
use std::collections::BTreeSet;
use std::sync::Arc;

impl ExportedModel {
    /// The weights that the program takes: parameters, buffers and constants, in its own order.
    pub fn parameters(&self) -> &[Parameter] {
        &self.loaded.parameters
    }

    /// A weight as it is now. What the program writes to is copied, in turn with the calls; everything else shares
    /// the model's memory and must not be written to. Waits for the device if there is anything to copy.
    pub fn parameter(&self, name: &str) -> Result<Tensor> {
        self.require_names("name", &[name])?;
        let call = self.current.call()?;
        if call.weight_set.state.writes_to(name) {
            let weights = call.weight_set.state.weights();
            // One that is expanded has more elements than its storage has bytes.
            return match weights.is_expanded(name) {
                true => weights.with_copies(&weights.storages_of([name]), self.device())?.plain(name),
                false => self.copied(&weights.plain(name)?),
            };
        }
        let weights = &call.weight_set.weights;
        let storage = weights.storages_of([name]);
        self.loaded.builder.archived.put(weights, &storage, false)?.plain(name)
    }

    fn copied(&self, tensor: &Tensor) -> Result<Tensor> {
        let copy = tensor.copied().map_err(Failure::outside_node)?;
        self.device().synchronize().map_err(Failure::outside_node)?;
        Ok(copy)
    }

    /// Gives the program other weights, all at once: a call that begins before this returns runs on the old ones or
    /// on the new ones, and never on some of each. On an error nothing changes. Names that share memory go on
    /// sharing it, as with PyTorch's `load_state_dict`: a tied weight changes under all its names.
    ///
    /// A tensor's memory is shared where it has the weight's strides and libtorch's alignment (64 bytes on the CPU,
    /// 512 on CUDA), and must not be written to while any model has it; otherwise, and where the program writes to
    /// the weight, it is copied. Folded constants are computed again on this thread and before the exchange, as far as
    /// they depend on the weights given; what operators of the program compute is left to the first call where no call
    /// came before. What the program wrote to other weights stays.
    ///
    /// Other models do not see it, clones of this one neither. Waits for the device.
    pub fn swap_parameters(&self, given: &[Assignment]) -> Result<()> {
        let names: Vec<&str> = given.iter().map(|(name, _)| *name).collect();
        self.require_names("names", &names)?;
        require_distinct("names", &names)?;
        let builder = &self.loaded.builder;
        let prepare = |now: &WeightSet| {
            let (weights, changed) = now.weights.assign(&builder.archived, given)?;
            Ok((builder.renew(weights, &changed, &now.folded)?, changed))
        };
        let finish = |now: &WeightSet, (weights, changed): (_, BTreeSet<usize>)| {
            Ok(Arc::new(now.followed_by(builder, weights, &changed)?))
        };
        self.current.exchange(prepare, finish)
    }

    /// Puts back what the archive holds, in the same way: these weights with all that shares their memory, or those
    /// that were given if there are no names. The archive's bytes are read again where they lie, so nothing had to
    /// be kept for it.
    pub fn reset_parameters(&self, names: Option<&[&str]>) -> Result<()> {
        self.require_names("names", names.unwrap_or_default())?;
        let builder = &self.loaded.builder;
        let prepare = |now: &WeightSet| {
            let changed = match names {
                Some(names) => now.weights.storages_of(names.iter().copied()),
                None => now.weights.assigned().clone(),
            };
            Ok((builder.restore(&now.weights, &changed, &now.folded)?, changed))
        };
        let finish = |now: &WeightSet, (weights, changed): (_, BTreeSet<usize>)| {
            Ok(Arc::new(now.followed_by(builder, weights, &changed)?))
        };
        self.current.exchange(prepare, finish)
    }

    /// Takes the weights of a clone, or of what this is a clone of, with all that is computed from them: nothing is
    /// copied or computed. The state stays as it is.
    pub fn share_parameters(&self, source: &ExportedModel) -> Result<()> {
        if !Arc::ptr_eq(&self.loaded, &source.loaded) {
            return Err(not_a_clone());
        }
        let builder = &self.loaded.builder;
        let finish = |now: &WeightSet, shared: Arc<WeightSet>| match self.current.takes_turns() {
            true => {
                let shared = (shared.weights.clone(), Arc::clone(&shared.folded));
                Ok(Arc::new(now.followed_by(builder, shared, &BTreeSet::new())?))
            }
            false => Ok(shared),
        };
        self.current.exchange(|_| source.current.weight_set(), finish)
    }

    fn require_names(&self, argument: &'static str, names: &[&str]) -> Result<()> {
        require_known(&self.loaded.parameters, "the program's weights", argument, names)
    }
}
