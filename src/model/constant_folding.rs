//! Constant folding: computes once all that depends on weights alone.

use crate::graph::Function;
use crate::passes::{ConstSubgraph, DirtyConstants, dirty_constants};
use crate::plan::{self, Plan};
use crate::timeline::span;
use crate::torch::{Failure, Scope, Tensor};
use crate::weights::placement::{ArchivedWeights, Weights};
use crate::{Error, Result, exec};
use std::collections::BTreeSet;
use std::ptr;

/// Folded constants by name.
pub type FoldedConstants = Vec<(String, Tensor)>;

/// Returns all constants of a const subgraph as dirty.
pub fn whole(folding: &ConstSubgraph) -> DirtyConstants {
    let count = folding.names.len();
    DirtyConstants { function: folding.function.clone(), constants: (0..count).collect() }
}

/// Returns the constants that are dirty after these storages and these other constants changed.
pub fn after(
    folding: &ConstSubgraph,
    weights: &Weights,
    changed: &BTreeSet<usize>,
    constants: &[String],
) -> Option<DirtyConstants> {
    let is_other = |name: &str| weights.is_in(name, changed) || constants.iter().any(|other| other == name);
    dirty_constants(&folding.function, is_other)
}

/// Plan of a const subgraph, which any thread may run.
#[derive(Debug)]
pub struct FoldingPlan {
    plan: Plan,
    names: Vec<String>,
    /// Storages that the plan reads.
    needed: BTreeSet<usize>,
}

impl FoldingPlan {
    /// Plans part of a const subgraph. Reads no stored bytes yet.
    pub fn prepare(
        archived: &ArchivedWeights,
        folding: &ConstSubgraph,
        part: &DirtyConstants,
    ) -> Result<FoldingPlan> {
        let needed = storages(archived, &part.function);
        let plan = span("resolve constants", || plan::build(&part.function, archived.device()))?;
        let names = part.constants.iter().filter_map(|at| folding.names.get(*at)).cloned().collect();
        Ok(FoldingPlan { plan, names, needed })
    }

    /// Returns the names of the constants.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Returns the storages that the plan reads.
    pub fn needed(&self) -> &BTreeSet<usize> {
        &self.needed
    }

    /// Places the storages on the device, computes the constants and releases storages that only
    /// they need.
    ///
    /// Each constant gets the memory format of the constant that it replaces, if `before` returns
    /// one.
    pub fn fold<'a>(
        &self,
        archived: &ArchivedWeights,
        weights: &Weights,
        before: impl Fn(&str) -> Option<&'a Tensor>,
    ) -> Result<FoldedConstants> {
        let spends = !self.needed.is_subset(&weights.present());
        let read = archived.put(weights, &self.needed)?;
        let constants = span("constants", || self.compute(&read))?;
        let follow = |(name, constant): (&String, &Tensor)| match before(name) {
            Some(before) => constant.copy_prepacking(before).map_err(Failure::outside_node),
            None => Ok(()),
        };
        self.names.iter().zip(&constants).try_for_each(follow)?;
        drop(read);
        if spends {
            self.plan.device.release_cached().map_err(Failure::outside_node)?;
        }
        Ok(self.names.iter().cloned().zip(constants).collect())
    }

    fn compute(&self, read: &Weights) -> Result<Vec<Tensor>> {
        let plan = &self.plan;
        let bound = plan.weights.iter().map(|(slot, name)| Ok((*slot, read.tensor(name)?)));
        let bound = bound.collect::<Result<Vec<_>>>()?;
        let scope = Scope::enter(plan.device, ptr::null_mut()).map_err(Failure::outside_node)?;
        let outputs = exec::run(plan, &scope, &mut exec::frame(plan, &bound)?, &[])?;
        // Calls may run on other streams than this one.
        plan.device.synchronize().map_err(Failure::outside_node)?;
        let missing = || Error::Internal { reason: "a constant was computed to nothing".into() };
        outputs.into_iter().map(|output| output.ok_or_else(missing)).collect()
    }
}

/// Returns the storages that a function reads.
pub fn storages(archived: &ArchivedWeights, function: &Function) -> BTreeSet<usize> {
    archived.absent().storages_of(function.weights())
}
