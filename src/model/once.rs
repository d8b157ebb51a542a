//! What is computed from weights alone, and so the same in every call until they change.

use super::origin::Origin;
use crate::graph::Function;
use crate::passes::{self, Stale, stale};
use crate::plan::{self, Plan};
use crate::timeline::span;
use crate::torch::{Failure, Scope, Tensor};
use crate::weights::place::{Archived, Weights};
use crate::{Error, Result, run};
use std::collections::BTreeSet;
use std::ptr;

/// The part of a program that runs once for each set of weights.
#[derive(Debug)]
pub struct Once {
    /// Takes weights and returns constants.
    pub function: Function,
    /// A name for each of its outputs.
    pub names: Vec<String>,
}

impl Once {
    /// Whether weights stay as they are until calls tell in which orders they are needed.
    pub fn waits_for_calls(&self) -> bool {
        passes::waits_for_calls(&self.function.graph)
    }

    /// All of it.
    pub fn whole(&self) -> Stale {
        Stale { function: self.function.clone(), constants: (0..self.names.len()).collect() }
    }

    /// What must run again after these storages changed.
    pub fn after(&self, weights: &Weights, changed: &BTreeSet<usize>) -> Option<Stale> {
        stale(&self.function, |name| weights.lies_in(name, changed))
    }
}

/// Constants that only need to be computed, on whichever thread.
#[derive(Debug)]
pub struct Computation {
    plan: Plan,
    names: Vec<String>,
    /// The storages that it reads.
    needed: BTreeSet<usize>,
}

impl Computation {
    /// Plans it. Nothing stored is touched yet.
    pub fn prepare(origin: &Origin, part: Stale, weights: &Weights) -> Result<Computation> {
        let needed = weights.storages_of(part.function.weights());
        let plan = span("resolve constants", || plan::build(&part.function, origin.plan.device))?;
        let all = origin.once.as_ref().map_or(&[][..], |once| &once.names);
        let names = part.constants.iter().filter_map(|at| all.get(*at)).cloned().collect();
        Ok(Computation { plan, names, needed })
    }

    /// Puts on the device what it reads, computes the constants, adds them to weights and lets go of what only they
    /// were made from.
    pub fn add_to(&self, archived: &Archived, mut weights: Weights) -> Result<Weights> {
        let spends = !self.needed.is_subset(&weights.present());
        let read = archived.put(&weights, &self.needed, false)?;
        let constants = span("constants", || self.compute(&read, &weights))?;
        weights.add(self.names.iter().cloned().zip(constants));
        drop(read);
        if spends {
            self.plan.device.release_cached().map_err(Failure::outside_node)?;
        }
        Ok(weights)
    }

    /// The constants from the weights that are read, in place of those before.
    fn compute(&self, read: &Weights, before: &Weights) -> Result<Vec<Tensor>> {
        let plan = &self.plan;
        let bound = plan.weights.iter().map(|(slot, name)| Ok((*slot, read.tensor(name)?)));
        let bound = bound.collect::<Result<Vec<_>>>()?;
        let scope = Scope::enter(plan.device, ptr::null_mut()).map_err(Failure::outside_node)?;
        let outputs = run::run(plan, &scope, &mut run::frame(plan, &bound)?, &[])?;
        // Calls may come on other streams than this one.
        plan.device.synchronize().map_err(Failure::outside_node)?;
        let missing = || Error::Internal { reason: "a constant was computed to nothing".into() };
        let constants = outputs.into_iter().map(|output| output.ok_or_else(missing));
        let constants = constants.collect::<Result<Vec<_>>>()?;
        self.names.iter().zip(&constants).try_for_each(|(name, constant)| follow(before, name, constant))?;
        Ok(constants)
    }
}

/// What takes the place of a constant is as ready for calls as that was.
fn follow(before: &Weights, name: &str, constant: &Tensor) -> Result<()> {
    let before = before.computed(name);
    before.map_or(Ok(()), |before| constant.follow_orders(before)).map_err(Failure::outside_node)
}
