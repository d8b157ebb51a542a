//! A program and its weights as a plan: what is the same in every call is computed here, once.

use crate::archive::Archive;
use crate::graph::Function;
use crate::passes::{self, Parts};
use crate::plan::{self, Plan};
use crate::torch::{Device, Scope, Tensor};
use crate::weights::pickle::SavedTensor;
use crate::{Error, Result, run, weights};
use std::collections::HashMap;
use std::ptr;

/// Puts the weights on the device, runs the part of the function that runs once, and plans the rest.
pub fn bind(archive: &Archive, name: &str, function: Function, device: Device) -> Result<Plan> {
    let stored = weights::read(archive, name)?;
    weights::check(&function, &stored)?;
    let parts = passes::split(function);
    let (kept, spent) = sort(stored, &parts);
    let mut placed = weights::place::place(&kept, device, archive.verifies())?;
    if let Some(once) = &parts.once {
        let constants = {
            let mut all = weights::place::place(&spent, device, archive.verifies())?;
            all.extend(placed.iter().map(|(name, tensor)| (name.clone(), tensor.clone())));
            compute(once, &all, device)?
        };
        placed.extend(parts.constants.iter().cloned().zip(constants));
        if !spent.is_empty() {
            device.release_cached().map_err(|failure| failure.outside_node())?;
        }
    }
    plan::build(&parts.call, &placed, device)
}

/// What calls read, and what only the computation of constants does. Apart, so that the memory of the latter is
/// free again after it.
fn sort(stored: Vec<SavedTensor>, parts: &Parts) -> (Vec<SavedTensor>, Vec<SavedTensor>) {
    let Some(once) = &parts.once else { return (stored, Vec::new()) };
    let read_in_calls = parts.call.weights();
    let spent = once.weights();
    stored.into_iter().partition(|tensor| {
        read_in_calls.contains(tensor.name.as_str()) || !spent.contains(tensor.name.as_str())
    })
}

fn compute(once: &Function, weights: &HashMap<String, Tensor>, device: Device) -> Result<Vec<Tensor>> {
    let plan = plan::build(once, weights, device)?;
    let scope = Scope::enter(device, ptr::null_mut()).map_err(|failure| failure.outside_node())?;
    let outputs = run::run(&plan, &scope, &mut run::frame(&plan)?, &[])?;
    let missing = || Error::Internal { reason: "a constant was computed to nothing".into() };
    // Calls may come on other streams than this one.
    device.synchronize().map_err(|failure| failure.outside_node())?;
    outputs.into_iter().map(|output| output.ok_or_else(missing)).collect()
}
