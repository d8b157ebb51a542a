//! What every version of a model's weights is made from.

use super::current::Stage;
use super::deferred::Deferred;
use super::once::{Computation, Once};
use super::options::Recording;
use super::version::Version;
use crate::Result;
use crate::graph::Function;
use crate::passes;
use crate::plan::{self, Plan};
use crate::run::Recordings;
use crate::timeline::span;
use crate::torch::Device;
use crate::weights::pickle::SavedTensor;
use crate::weights::place::{Archived, Verification, Weights};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// A program on a device without any weights, and the archive that holds those it was exported with. Clones of a
/// model share it.
#[derive(Debug)]
pub struct Origin {
    /// What runs in every call.
    pub plan: Plan,
    /// The stored tensors.
    pub archived: Archived,
    /// What runs once for each set of weights, if there is anything.
    pub once: Option<Once>,
    /// The storages that stay on the device: all but those from which only constants are computed.
    kept: BTreeSet<usize>,
    recording: Recording,
    /// How many runs of any version were the launch of a recording.
    launches: Arc<AtomicU64>,
}

impl Origin {
    /// Plans a function. Nothing stored is touched yet.
    pub fn new(
        stored: &[SavedTensor],
        function: Function,
        device: Device,
        recording: Recording,
    ) -> Result<Origin> {
        let parts = span("split", || passes::split(function));
        let plan = span("resolve", || plan::build(&parts.call, device))?;
        let archived = Archived::new(stored, device);
        let names = archived.absent();
        let once = parts.once.map(|function| Once { function, names: parts.constants });
        let spent = once.as_ref().map(|once| names.storages_of(once.function.weights())).unwrap_or_default();
        let read = names.storages_of(parts.call.weights());
        let kept = archived.all().into_iter().filter(|at| read.contains(at) || !spent.contains(at)).collect();
        Ok(Origin { plan, archived, once, kept, recording, launches: Arc::default() })
    }

    /// The archive's weights, compared with their checksums beside other work if at all. All bytes were checked when
    /// this returns; to a CUDA device they go beside the caller, where constants are computed from them: who runs the
    /// model waits for it as for any kernel, and is told where the device's memory does not suffice. The next call
    /// tries again.
    pub fn first(self: &Arc<Origin>, verification: Option<Verification>) -> Result<Stage> {
        let absent = self.archived.absent();
        let prepare = |once: &Once| Computation::prepare(self, once.whole(), &absent);
        let computation = self.once.as_ref().map(prepare).transpose()?;
        span("wait for checksums", || verification.map_or(Ok(()), Verification::finish))?;
        let origin = Arc::clone(self);
        let make = move || origin.make(computation.as_ref());
        match self.plan.device {
            Device::Cpu => make().map(Stage::Here),
            Device::Cuda(_) => Deferred::begin(make).map(Stage::Coming),
        }
    }

    /// A version with the archive's weights.
    fn make(&self, computation: Option<&Computation>) -> Result<Arc<Version>> {
        let mut weights = self.archived.put(&self.archived.absent(), &self.kept, false)?;
        if let Some(computation) = computation {
            weights = computation.add_to(&self.archived, weights)?;
            if !self.waits_for_calls() {
                self.let_go();
            }
        }
        Ok(Arc::new(Version::new(self, weights, None)?))
    }

    /// Weights in which these storages are others, with what is computed from them computed anew.
    pub fn renew(&self, weights: Weights, changed: &BTreeSet<usize>) -> Result<Weights> {
        match self.once.as_ref().and_then(|once| once.after(&weights, changed)) {
            Some(part) => {
                let renewed = Computation::prepare(self, part, &weights)?.add_to(&self.archived, weights);
                self.let_go();
                renewed
            }
            None => Ok(weights),
        }
    }

    /// Whether the second call with given sizes still prepares something.
    pub fn waits_for_calls(&self) -> bool {
        self.once.as_ref().is_some_and(Once::waits_for_calls)
    }

    /// Gives back the memory of what only constants are computed from; the file still has it.
    pub fn let_go(&self) {
        let spent = self.archived.all().difference(&self.kept).copied().collect();
        span("let go of weights", || self.archived.let_go(&spent));
    }

    /// Weights in which these storages are the archive's again.
    pub fn restore(&self, weights: &Weights, storages: &BTreeSet<usize>) -> Result<Weights> {
        let kept = self.kept.intersection(storages).copied().collect();
        let restored = self.archived.put(&weights.without(storages), &kept, false)?;
        self.renew(restored, storages)
    }

    /// The storages that the program writes to.
    pub fn written(&self) -> BTreeSet<usize> {
        self.archived.absent().storages_of(self.plan.effects.state.iter().map(String::as_str))
    }

    /// A place for recordings, if any are wanted and possible.
    pub fn recordings(&self) -> Option<Recordings> {
        let plan = &self.plan;
        match (plan.device, self.recording) {
            (Device::Cuda(_), Recording::UpTo(limit)) if limit > 0 && plan.unrecordable.is_none() => {
                Some(Recordings::new(plan.device, limit, Arc::clone(&self.launches)))
            }
            _ => None,
        }
    }

    /// How many runs were the launch of a recording.
    pub fn launches(&self) -> u64 {
        self.launches.load(std::sync::atomic::Ordering::Relaxed)
    }
}
