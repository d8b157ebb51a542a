//! Program planned for a device, from which its weight sets are built.

use super::constant_folding::{FoldedConstants, FoldingPlan, storages, whole};
use super::options::CudaGraphMode;
use crate::Result;
use crate::exec::CudaGraphCache;
use crate::graph::Function;
use crate::passes::{self, ConstSubgraph};
use crate::plan::{self, Plan};
use crate::timeline::span;
use crate::torch::{Device, Failure, Scope};
use crate::weights::pickle::SavedTensor;
use crate::weights::placement::{ArchivedWeights, Weights};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Program planned for a device, and the archive that holds its weights. Clones of a model share
/// it.
#[derive(Debug)]
pub struct PlannedProgram {
    /// Plan that every call runs.
    pub plan: Plan,
    /// Stored tensors.
    pub archived: ArchivedWeights,
    /// Const subgraph of nodes that passes wrote, computed as soon as a weight set exists.
    pub(super) at_load: Option<ConstSubgraph>,
    /// Const subgraph of the archive's operators, computed when a call needs it.
    pub(super) at_first_call: Option<ConstSubgraph>,
    /// Plan of `at_first_call`.
    pub(super) late: Option<FoldingPlan>,
    /// Storages kept on the device: all but those that only const subgraphs read.
    pub(super) kept: BTreeSet<usize>,
    cuda_graphs: CudaGraphMode,
    /// Number of runs, on any weight set, that launched a CUDA graph.
    launches: Arc<AtomicU64>,
}

impl PlannedProgram {
    /// Plans a function. Reads no stored bytes yet.
    pub fn new(
        stored: &[SavedTensor],
        function: Function,
        device: Device,
        cuda_graphs: CudaGraphMode,
    ) -> Result<PlannedProgram> {
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
        let mut planned = PlannedProgram {
            plan,
            archived,
            at_load,
            at_first_call,
            late: None,
            kept,
            cuda_graphs,
            launches,
        };
        let late = planned.at_first_call.as_ref();
        let late = late.map(|folding| FoldingPlan::prepare(&planned.archived, folding, &whole(folding)));
        planned.late = late.transpose()?;
        Ok(planned)
    }

    /// Computes the constants of the archive's operators from weights that hold all storages they
    /// need.
    pub fn fold(&self, weights: &Weights) -> Result<FoldedConstants> {
        let Some(late) = &self.late else { return Ok(Vec::new()) };
        let constants = late.fold(&self.archived, weights, |_| None)?;
        self.release_after_folding(&BTreeSet::new());
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

    /// Returns the number of calls with the same sizes until a call is like all later ones. The
    /// second call prepacks oneDNN weights and keeps them.
    pub fn calls_until_steady(&self) -> u32 {
        1 + u32::from(self.prepacks_in_calls())
    }

    fn prepacks_in_calls(&self) -> bool {
        let mut foldings = self.at_load.iter().chain(&self.at_first_call);
        foldings.any(|folding| passes::prepacks_in_calls(&folding.function.graph))
    }

    /// Releases the sources of folded constants, except storages that are still read. A program
    /// whose calls prepack weights reads them until then.
    pub fn release_after_folding(&self, still_read: &BTreeSet<usize>) {
        if !self.prepacks_in_calls() {
            self.release_sources(still_read);
        }
    }

    /// Releases the sources of folded constants if the call in this scope prepacked weights.
    pub fn release_after_call(&self, scope: &Scope) {
        if scope.has_prepacked() {
            self.release_sources(&BTreeSet::new());
        }
    }

    /// Releases the sources of constants that were folded again, which have the prepacked weights
    /// of those that they replace.
    pub fn release_after_renewal(&self) {
        self.release_sources(&BTreeSet::new());
    }

    /// Releases the memory of storages that only const subgraphs read. They can be read from the
    /// file again.
    fn release_sources(&self, still_read: &BTreeSet<usize>) {
        let all = self.archived.all();
        let folded_only =
            all.into_iter().filter(|at| !self.kept.contains(at) && !still_read.contains(at)).collect();
        span("let go of weights", || self.archived.discard(&folded_only));
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
