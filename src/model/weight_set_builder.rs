//! Builds weight sets: the first from the archive, later ones on swap and reset.

use super::active_weights::ActiveSet;
use super::background::Background;
use super::constant_folding::{FoldingPlan, after, whole};
use super::lazy_constants::LazyConstants;
use super::planned_program::PlannedProgram;
use super::weight_set::WeightSet;
use crate::Result;
use crate::passes::{ConstSubgraph, DirtyConstants};
use crate::timeline::span;
use crate::torch::{Device, Tensor};
use crate::weights::placement::{Verification, Weights};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

impl PlannedProgram {
    /// Makes the weight set of the archive. All checksums are checked when this returns, if at all.
    ///
    /// On CUDA, a thread copies the weights and folds the passes' constants. A call waits for it as
    /// for any kernel. If device memory is exhausted, one call gets the error and the next call
    /// retries. No operator of the archive runs here.
    pub fn first(self: &Arc<PlannedProgram>, verification: Option<Verification>) -> Result<ActiveSet> {
        let prepare =
            |folding: &ConstSubgraph| FoldingPlan::prepare(&self.archived, folding, &whole(folding));
        let early = self.at_load.as_ref().map(prepare).transpose()?;
        span("wait for checksums", || verification.map_or(Ok(()), Verification::finish))?;
        let planned = Arc::clone(self);
        let make = move || planned.make(early.as_ref());
        match self.plan.device {
            Device::Cpu => make().map(ActiveSet::Ready),
            Device::Cuda(_) => Background::begin(make).map(ActiveSet::Pending),
        }
    }

    /// Makes a weight set with the archive's weights.
    fn make(&self, early: Option<&FoldingPlan>) -> Result<Arc<WeightSet>> {
        let mut weights = self.archived.put(&self.archived.absent(), &self.kept)?;
        let needed = self.late.as_ref().map(FoldingPlan::needed);
        let mut from = needed.map(|needed| self.archived.put(&weights, needed)).transpose()?;
        if let Some(early) = early {
            let constants = early.fold(&self.archived, from.as_ref().unwrap_or(&weights), |_| None)?;
            if let Some(from) = &mut from {
                from.add(constants.clone());
            }
            weights.add(constants);
            self.release_after_folding(needed.unwrap_or(&BTreeSet::new()));
        }
        let folded = from.map_or_else(|| LazyConstants::ready(HashMap::new()), LazyConstants::pending);
        Ok(Arc::new(WeightSet::new(self, weights, None, Arc::new(folded))?))
    }

    /// Updates the constants after these storages of the weights changed.
    ///
    /// If no call has computed the constants of the archive's operators yet, they are left to the
    /// next call.
    pub fn renew(
        &self,
        mut weights: Weights,
        changed: &BTreeSet<usize>,
        folded: &Arc<LazyConstants>,
    ) -> Result<(Weights, Arc<LazyConstants>)> {
        let mut others = Vec::new();
        if let Some((folding, part)) = part_of(&self.at_load, &weights, changed, &[]) {
            let early = FoldingPlan::prepare(&self.archived, folding, &part)?;
            let constants = early.fold(&self.archived, &weights, |name| weights.computed(name))?;
            weights.add(constants);
            others.extend_from_slice(early.names());
            self.release_after_renewal();
        }
        let folded = match part_of(&self.at_first_call, &weights, changed, &others) {
            None => Arc::clone(folded),
            Some((folding, part)) => match folded.made() {
                None => Arc::new(self.left_to_a_call(&weights)?),
                Some(before) => {
                    let late = FoldingPlan::prepare(&self.archived, folding, &part)?;
                    Arc::new(LazyConstants::ready(self.refolded(&late, &weights, before)?))
                }
            },
        };
        Ok((weights, folded))
    }

    fn left_to_a_call(&self, weights: &Weights) -> Result<LazyConstants> {
        let none = BTreeSet::new();
        let needed = self.late.as_ref().map_or(&none, FoldingPlan::needed);
        self.archived.put(weights, needed).map(LazyConstants::pending)
    }

    fn refolded(
        &self,
        late: &FoldingPlan,
        weights: &Weights,
        before: &HashMap<String, Tensor>,
    ) -> Result<HashMap<String, Tensor>> {
        let mut all = before.clone();
        all.extend(late.fold(&self.archived, weights, |name| before.get(name))?);
        self.release_after_renewal();
        Ok(all)
    }

    /// Returns weights in which these storages have the archive's contents again.
    pub fn restore(
        &self,
        weights: &Weights,
        storages: &BTreeSet<usize>,
        folded: &Arc<LazyConstants>,
    ) -> Result<(Weights, Arc<LazyConstants>)> {
        let kept = self.kept.intersection(storages).copied().collect();
        let restored = self.archived.put(&weights.without(storages), &kept)?;
        self.renew(restored, storages, folded)
    }
}

/// Returns the part of a const subgraph that a change makes dirty.
fn part_of<'a>(
    folding: &'a Option<ConstSubgraph>,
    weights: &Weights,
    changed: &BTreeSet<usize>,
    constants: &[String],
) -> Option<(&'a ConstSubgraph, DirtyConstants)> {
    let folding = folding.as_ref()?;
    Some((folding, after(folding, weights, changed, constants)?))
}
