//! A program and its weights as a plan: what is the same in every call is computed here, once.

use super::checksums::Checksums;
use super::deferred::Deferred;
use super::state::State;
use crate::archive::Slice;
use crate::graph::Function;
use crate::passes::{self, Parts};
use crate::plan::{self, Plan};
use crate::timeline::span;
use crate::torch::{Device, Scope, Tensor};
use crate::weights::pickle::SavedTensor;
use crate::weights::place::{Weights, place};
use crate::{Error, Result, run};
use std::collections::HashSet;
use std::ptr;
use std::sync::Arc;

/// The weights as the archive holds them, and the state that the loaded model begins with.
#[derive(Debug)]
pub struct Base {
    /// Never written to; states begin as copies.
    pub weights: Weights,
    /// That of every model that is no clone with a state of its own.
    pub state: Arc<State>,
}

/// Plans the part of the function that runs in every call, puts its weights on the device, and runs the rest. A CUDA
/// device does the last beside the caller, who may wait for it as for any kernel: all bytes were checked before.
pub fn bind(
    stored: Vec<SavedTensor>,
    checksums: Checksums,
    function: Function,
    device: Device,
) -> Result<(Arc<Plan>, Deferred<Base>)> {
    let parts = span("split", || passes::split(function));
    let plan = Arc::new(span("resolve", || plan::build(&parts.call, device))?);
    let (kept, spent) = sort(stored, &parts);
    let verify = span("wait for checksums", || checksums.finish())?;
    let weights = place(&kept, device, verify)?;
    let Some(once) = &parts.once else {
        return Ok((Arc::clone(&plan), Deferred::made(base(&plan, weights)?)));
    };
    let once = span("resolve constants", || plan::build(once, device))?;
    let originals = match device {
        Device::Cpu => originals(&kept, &spent),
        // There the weights are copies, and nothing keeps the file's pages.
        Device::Cuda(_) => Vec::new(),
    };
    let spent = place(&spent, device, verify)?;
    let finish = {
        let plan = Arc::clone(&plan);
        move || {
            let weights = add_constants(&once, &parts.constants, spent, weights)?;
            span("let go of weights", || originals.iter().for_each(Slice::let_go));
            base(&plan, weights)
        }
    };
    let base = match device {
        Device::Cpu => Deferred::made(finish()?),
        Device::Cuda(_) => Deferred::begin(finish)?,
    };
    Ok((plan, base))
}

/// The bytes of storages that only the computation of constants reads.
fn originals(kept: &[SavedTensor], spent: &[SavedTensor]) -> Vec<Slice> {
    let kept: HashSet<*const u8> = kept.iter().map(|tensor| tensor.storage.as_ptr()).collect();
    let slices = spent.iter().map(|tensor| &tensor.storage);
    slices.filter(|slice| !kept.contains(&slice.as_ptr())).cloned().collect()
}

fn base(plan: &Plan, weights: Weights) -> Result<Base> {
    let state = Arc::new(State::new(plan, &weights)?);
    Ok(Base { weights, state })
}

/// Computes the constants and lets go of what only they were made from.
fn add_constants(once: &Plan, names: &[String], spent: Weights, mut weights: Weights) -> Result<Weights> {
    let constants = span("constants", || compute(once, [&spent, &weights]))?;
    weights.add(names.iter().cloned().zip(constants));
    if !spent.is_empty() {
        drop(spent);
        once.device.release_cached().map_err(|failure| failure.outside_node())?;
    }
    Ok(weights)
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

fn compute(plan: &Plan, weights: [&Weights; 2]) -> Result<Vec<Tensor>> {
    let device = plan.device;
    let named = |name: &String| match weights[0].holds(name) {
        true => weights[0].tensor(name),
        false => weights[1].tensor(name),
    };
    let bound =
        plan.weights.iter().map(|(slot, name)| Ok((*slot, named(name)?))).collect::<Result<Vec<_>>>()?;
    let scope = Scope::enter(device, ptr::null_mut()).map_err(|failure| failure.outside_node())?;
    let outputs = run::run(plan, &scope, &mut run::frame(plan, &bound)?, &[])?;
    let missing = || Error::Internal { reason: "a constant was computed to nothing".into() };
    // Calls may come on other streams than this one.
    device.synchronize().map_err(|failure| failure.outside_node())?;
    outputs.into_iter().map(|output| output.ok_or_else(missing)).collect()
}
