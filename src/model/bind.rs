//! A program and its weights as a plan: what is the same in every call is computed here, once.

use crate::graph::Function;
use crate::passes::{self, Parts};
use crate::plan::{self, Plan};
use crate::torch::{Device, Scope, Tensor};
use crate::weights::pickle::SavedTensor;
use crate::weights::place::{Weights, place};
use crate::{Error, Result, run};
use std::ptr;

/// Plans the part of the function that runs in every call, puts its weights on the device, and runs the rest.
pub fn bind(
    stored: Vec<SavedTensor>,
    function: Function,
    device: Device,
    verify: bool,
) -> Result<(Plan, Weights)> {
    let parts = passes::split(function);
    let plan = plan::build(&parts.call, device)?;
    let (kept, spent) = sort(stored, &parts);
    let mut weights = place(&kept, device, verify)?;
    if let Some(once) = &parts.once {
        let constants = {
            let spent = place(&spent, device, verify)?;
            compute(once, [&spent, &weights], device)?
        };
        weights.add(parts.constants.iter().cloned().zip(constants));
        if !spent.is_empty() {
            device.release_cached().map_err(|failure| failure.outside_node())?;
        }
    }
    Ok((plan, weights))
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

fn compute(once: &Function, weights: [&Weights; 2], device: Device) -> Result<Vec<Tensor>> {
    let plan = plan::build(once, device)?;
    let named = |name: &String| match weights[0].holds(name) {
        true => weights[0].tensor(name),
        false => weights[1].tensor(name),
    };
    let bound =
        plan.weights.iter().map(|(slot, name)| Ok((*slot, named(name)?))).collect::<Result<Vec<_>>>()?;
    let scope = Scope::enter(device, ptr::null_mut()).map_err(|failure| failure.outside_node())?;
    let outputs = run::run(&plan, &scope, &mut run::frame(&plan, &bound)?, &[])?;
    let missing = || Error::Internal { reason: "a constant was computed to nothing".into() };
    // Calls may come on other streams than this one.
    device.synchronize().map_err(|failure| failure.outside_node())?;
    outputs.into_iter().map(|output| output.ok_or_else(missing)).collect()
}
