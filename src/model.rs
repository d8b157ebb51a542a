//! The Rust face: load a program or compiled code, ask about it, run it.

mod bind;
mod deferred;
mod face;
mod inputs;
mod options;
mod state;

pub use crate::compiled::{Form, Permission};
pub use crate::passes::Optimization;
pub use crate::run::Statistics;
pub use face::Model;
pub use options::{LoadOptions, Recording, RunOptions};

use crate::archive::Archive;
use crate::plan::{Effects, Plan, Policy};
use crate::program::{Interface, Port, PortKind, Program, schema};
use crate::run::Recordings;
use crate::torch::{Device, Loading, Scope, Tensor};
use crate::{Error, Result, graph, passes, plan, run, weights};
use bind::{Base, bind};
use deferred::Deferred;
use state::State;
use std::sync::Arc;

/// A program with its weights on a device. Any number of threads may run it at once; they share the weights.
///
/// What the program writes to (buffers, parameters, constants, and all that shares a storage with them) is the
/// model's state. Calls of a program that has one take turns, in the order in which they come, as
/// [`Exported::effects`] tells. [`Exported::try_clone`] gives a model with a state of its own.
#[derive(Debug)]
pub(crate) struct Exported {
    loaded: Arc<Loaded>,
    /// A clone's own state; None for that which was loaded.
    own: Option<Arc<State>>,
}

/// What all clones share.
#[derive(Debug)]
struct Loaded {
    /// First, for it waits for kernels that read the weights.
    recordings: Option<Recordings>,
    plan: Arc<Plan>,
    base: Deferred<Base>,
    interface: Interface,
    name: String,
    torch_version: String,
    _libraries: Loading,
}

impl Exported {
    /// Loads a model's program from an open archive, which may be closed afterwards.
    pub fn load(archive: &Archive, name: String, options: &LoadOptions) -> Result<Exported> {
        let program = Program::parse(archive.program(&name)?.bytes())?;
        let mut function = graph::build(&program.graph_module)?;
        Policy::allowing(&options.allowed_operators)?.check(&function)?;
        plan::spell_out(&mut function)?;
        let device = options.device.map_or_else(|| exported_on(&program.interface), Ok)?;
        device.require()?;
        let _libraries = Loading::begin(device, &plan::families(&function.graph));
        let stored = weights::read(archive, &name)?;
        weights::check(&function, &stored)?;
        weights::tell_shared(&mut function, &stored);
        passes::run(&mut function, options.optimization, &plan::traits(device))?;
        let (plan, base) = bind(stored, function, device, archive.verifies())?;
        let Program { interface, torch_version, .. } = program;
        let recordings = recordings(&plan, options.recording);
        let loaded = Loaded { plan, base, interface, name, torch_version, recordings, _libraries };
        Ok(Exported { loaded: Arc::new(loaded), own: None })
    }

    /// The same program with a state of its own, which begins as this one is now: after the calls that came
    /// before, and before those that come later. Weights that the program does not write to are shared, so a
    /// clone of a program without a state costs nothing. Waits for the device if there is a state to copy.
    pub fn try_clone(&self) -> Result<Exported> {
        let state = self.state()?;
        let own = match state.is_constant() {
            true => None,
            false => Some(Arc::new(state.try_clone(&self.loaded.plan)?)),
        };
        Ok(Exported { loaded: Arc::clone(&self.loaded), own })
    }

    /// Puts the state back to what the archive holds, in turn with the calls. Clones keep theirs. On CUDA the
    /// copies are queued on the stream, as a call is.
    pub fn reset_state(&self, options: &RunOptions) -> Result<()> {
        let state = self.state()?;
        let Some(_turn) = state.turn() else { return Ok(()) };
        let _scope = self.enter(options)?;
        state.fill_from(&self.loaded.base.get()?.weights)
    }

    /// Runs the program. Inputs and outputs are flat, in the order of [`Exported::interface`]; None stands for
    /// Python's None and for inputs that are constants of the program. Numbers come and go as 0-d tensors.
    ///
    /// Every input is checked before anything runs. On an error the model stays usable, and a program that
    /// writes to its state may have written part of it.
    pub fn run(&self, inputs: &[Option<Tensor>], options: &RunOptions) -> Result<Vec<Option<Tensor>>> {
        let inputs = inputs::accept(self.interface(), self.device(), inputs)?;
        let state = self.state()?;
        let _turn = state.turn();
        let scope = self.enter(options)?;
        let Some(recordings) = &self.loaded.recordings else { return self.steps(state, &scope, &inputs) };
        if let Some(outputs) = recordings.launch(&scope, &inputs)? {
            return Ok(outputs);
        }
        let outputs = self.steps(state, &scope, &inputs)?;
        recordings.count(&self.loaded.plan, state.weights(), &inputs);
        Ok(outputs)
    }

    fn steps(&self, state: &State, scope: &Scope, inputs: &[run::Input]) -> Result<Vec<Option<Tensor>>> {
        let plan = &self.loaded.plan;
        let mut frame = state.frame(plan)?;
        let outputs = run::run(plan, scope, &mut frame, inputs)?;
        state.put_back(frame);
        Ok(outputs)
    }

    /// What it writes to and reads; waits for the constants if they are still being computed.
    fn state(&self) -> Result<&State> {
        match &self.own {
            Some(own) => Ok(own),
            None => Ok(&self.loaded.base.get()?.state),
        }
    }

    /// How its runs were launched so far. Clones without a state count together.
    pub fn statistics(&self) -> Statistics {
        let mut statistics = self.loaded.recordings.as_ref().map(Recordings::statistics).unwrap_or_default();
        statistics.refusal = statistics.refusal.or_else(|| self.loaded.plan.unrecordable.clone());
        statistics
    }

    fn enter(&self, options: &RunOptions) -> Result<Scope> {
        Scope::enter(self.device(), options.stream).map_err(|failure| failure.outside_node())
    }

    /// What the program takes and gives.
    pub fn interface(&self) -> &Interface {
        &self.loaded.interface
    }

    /// Where it runs.
    pub fn device(&self) -> Device {
        self.loaded.plan.device
    }

    /// What it writes to besides its outputs.
    pub fn effects(&self) -> &Effects {
        &self.loaded.plan.effects
    }

    /// Its name in the archive.
    pub fn name(&self) -> &str {
        &self.loaded.name
    }

    /// The PyTorch version that exported it, as the archive says.
    pub fn torch_version(&self) -> &str {
        &self.loaded.torch_version
    }
}

/// Plans with a state are not recorded, so one set of recordings serves all clones.
fn recordings(plan: &Plan, wanted: Recording) -> Option<Recordings> {
    match (plan.device, wanted) {
        (Device::Cuda(_), Recording::UpTo(limit)) if limit > 0 && plan.unrecordable.is_none() => {
            Some(Recordings::new(plan.device, limit))
        }
        _ => None,
    }
}

/// The device of the first tensor that goes in or out; a program without any runs on the CPU.
fn exported_on(interface: &Interface) -> Result<Device> {
    let exported = interface.inputs.iter().chain(&interface.outputs).find_map(device_of);
    let Some(exported) = exported else { return Ok(Device::Cpu) };
    let text = match exported.index {
        Some(index) if exported.r#type != "cpu" => format!("{}:{index}", exported.r#type),
        _ => exported.r#type.clone(),
    };
    text.parse().map_err(|reason| Error::Device { device: text, reason })
}

fn device_of(port: &Port) -> Option<&schema::Device> {
    match &port.kind {
        PortKind::Tensor(tensor) => Some(&tensor.device),
        _ => None,
    }
}
