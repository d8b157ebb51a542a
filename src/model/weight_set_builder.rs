//! Builds weight sets: the first from the archive, later ones on swap and reset.

use super::active_weights::ActiveSet;
use super::background::Background;
use super::constant_folding::{FoldedConstants, FoldingPlan, after, storages, whole};
use super::lazy_constants::LazyConstants;
use super::options::CudaGraphMode;
use super::weight_set::WeightSet;
use crate::Result;
use crate::exec::CudaGraphCache;
use crate::graph::Function;
use crate::passes::{self, ConstSubgraph};
use crate::plan::{self, Plan};
use crate::timeline::span;
use crate::torch::{Device, Failure, Tensor};
use crate::weights::pickle::SavedTensor;
use crate::weights::placement::{ArchivedWeights, Verification, Weights};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Program planned for a device, and the archive that holds its weights. Clones of a model share
/// it.
#[derive(Debug)]
pub struct WeightSetBuilder {
    /// Plan that every call runs.
    pub plan: Plan,
    /// Stored tensors.
    pub archived: ArchivedWeights,
    /// Const subgraph of nodes that passes wrote, computed as soon as a weight set exists.
    at_load: Option<ConstSubgraph>,
    /// Const subgraph of the archive's operators, computed when a call needs it.
    at_first_call: Option<ConstSubgraph>,
    /// Plan of `at_first_call`.
    late: Option<FoldingPlan>,
    /// Storages kept on the device: all but those that only const subgraphs read.
    kept: BTreeSet<usize>,
    cuda_graphs: CudaGraphMode,
    /// Number of runs, on any weight set, that launched a CUDA graph.
    launches: Arc<AtomicU64>,
}

impl WeightSetBuilder {
    /// Plans a function. Reads no stored bytes yet.
    pub fn new(
        stored: &[SavedTensor],
        function: Function,
        device: Device,
        cuda_graphs: CudaGraphMode,
    ) -> Result<WeightSetBuilder> {
        let parts = span("split", || passes::split_const_subgraph(function));
        let plan = span("resolve", || plan::build(&parts.call, device))?;
        let archived = ArchivedWeights::new(stored, device);
        let foldings = parts.at_load.iter().chain(&parts.at_first_call);
        let folded_only: BTreeSet<usize> =
            foldings.flat_map(|folding| storages(&archived, &folding.function)).collect();
        let read = storages(&archived, &parts.call);
        let kept =
            archived.all().into_iter().filter(|at| read.contains(at) || !folded_only.contains(at)).collect();
        let (at_load, at_first_call) = (parts.at_load, parts.at_first_call);
        let launches = Arc::default();
        let mut builder = WeightSetBuilder {
            plan,
            archived,
            at_load,
            at_first_call,
            late: None,
            kept,
            cuda_graphs,
            launches,
        };
        let late = builder.at_first_call.as_ref();
        let late = late.map(|folding| FoldingPlan::prepare(&builder, folding, &whole(folding)));
        builder.late = late.transpose()?;
        Ok(builder)
    }

    /// Makes the weight set of the archive. All checksums are checked when this returns, if at all.
    ///
    /// On CUDA, a thread copies the weights and folds the passes' constants. A call waits for it as
    /// for any kernel. If device memory is exhausted, one call gets the error and the next call
    /// retries. No operator of the archive runs here.
    pub fn first(self: &Arc<WeightSetBuilder>, verification: Option<Verification>) -> Result<ActiveSet> {
        let prepare = |folding: &ConstSubgraph| FoldingPlan::prepare(self, folding, &whole(folding));
        let early = self.at_load.as_ref().map(prepare).transpose()?;
        span("wait for checksums", || verification.map_or(Ok(()), Verification::finish))?;
        let builder = Arc::clone(self);
        let make = move || builder.make(early.as_ref());
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
            from.iter_mut().for_each(|from| from.add(constants.clone()));
            weights.add(constants);
            if !self.prepacks_in_calls() {
                self.discard_sources_except(needed.unwrap_or(&BTreeSet::new()));
            }
        }
        let folded = from.map_or_else(|| LazyConstants::ready(HashMap::new()), LazyConstants::pending);
        Ok(Arc::new(WeightSet::new(self, weights, None, Arc::new(folded))?))
    }

    /// Computes the constants of the archive's operators from weights that hold all storages they
    /// need.
    pub fn fold(&self, weights: &Weights) -> Result<FoldedConstants> {
        let Some(late) = &self.late else { return Ok(Vec::new()) };
        let constants = late.fold(&self.archived, weights, |_| None)?;
        if !self.prepacks_in_calls() {
            self.discard_sources();
        }
        Ok(constants)
    }

    /// Releases the device memory of storages that only those constants needed, once they are
    /// unused.
    pub fn release_folded(&self) -> Result<()> {
        match &self.late {
            Some(late) if !late.needed().is_subset(&self.kept) => {
                self.archived.device().release_cached().map_err(Failure::outside_node)
            }
            _ => Ok(()),
        }
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
            let early = FoldingPlan::prepare(self, folding, &part)?;
            let constants = early.fold(&self.archived, &weights, |name| weights.computed(name))?;
            weights.add(constants);
            others.extend_from_slice(early.names());
            self.discard_sources();
        }
        let folded = match part_of(&self.at_first_call, &weights, changed, &others) {
            None => Arc::clone(folded),
            Some((folding, part)) => match folded.made() {
                None => Arc::new(self.left_to_a_call(&weights)?),
                Some(before) => {
                    let late = FoldingPlan::prepare(self, folding, &part)?;
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
        self.discard_sources();
        Ok(all)
    }

    /// Returns true if the second call with given sizes still prepacks weights.
    pub fn prepacks_in_calls(&self) -> bool {
        let mut foldings = self.at_load.iter().chain(&self.at_first_call);
        foldings.any(|folding| passes::prepacks_in_calls(&folding.function.graph))
    }

    /// Releases the memory of storages that only const subgraphs read. They can be read from the
    /// file again.
    pub fn discard_sources(&self) {
        self.discard_sources_except(&BTreeSet::new());
    }

    fn discard_sources_except(&self, still_read: &BTreeSet<usize>) {
        let all = self.archived.all();
        let folded_only =
            all.into_iter().filter(|at| !self.kept.contains(at) && !still_read.contains(at)).collect();
        span("let go of weights", || self.archived.discard(&folded_only));
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

    /// Returns the storages that the program writes to.
    pub fn written(&self) -> BTreeSet<usize> {
        self.archived.absent().storages_of(self.plan.effects.state.iter().map(String::as_str))
    }

    /// Makes a cache of CUDA graphs, if the caller wants them and the plan supports capture.
    pub fn cuda_graphs(&self) -> Option<CudaGraphCache> {
        let plan = &self.plan;
        match (plan.device, self.cuda_graphs) {
            (Device::Cuda(_), CudaGraphMode::UpTo(limit)) if limit > 0 && plan.capture_refusal.is_none() => {
                Some(CudaGraphCache::new(plan.device, limit, Arc::clone(&self.launches)))
            }
            _ => None,
        }
    }

    /// Returns the number of runs that launched a CUDA graph.
    pub fn launches(&self) -> u64 {
        self.launches.load(std::sync::atomic::Ordering::Relaxed)
    }
}

/// Returns the part of a const subgraph that a change makes dirty.
fn part_of<'a>(
    folding: &'a Option<ConstSubgraph>,
    weights: &Weights,
    changed: &BTreeSet<usize>,
    constants: &[String],
) -> Option<(&'a ConstSubgraph, passes::DirtyConstants)> {
    let folding = folding.as_ref()?;
    Some((folding, after(folding, weights, changed, constants)?))
}
