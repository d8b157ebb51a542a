//! The Rust face: load a program, ask about it, run it.

mod bind;
mod checksums;
mod deferred;
mod inputs;
mod options;
mod state;
mod warm;

pub use crate::passes::Optimization;
pub use crate::run::Statistics;
pub use options::{LoadOptions, Recording, RunOptions};

use crate::archive::Archive;
use crate::plan::{Effects, Plan, Policy};
use crate::program::{Interface, Port, PortKind, Program, schema};
use crate::run::Recordings;
use crate::timeline::span;
use crate::torch::{self, Device, Loading, Scope, Tensor};
use crate::{Error, Result, graph, passes, plan, run, weights};
use bind::{Base, bind};
use checksums::Checksums;
use deferred::Deferred;
use state::State;
use std::path::Path;
use std::sync::Arc;

/// A program with its weights on a device. Any number of threads may run it at once; they share the weights.
///
/// What the program writes to (buffers, parameters, constants, and all that shares a storage with them) is the
/// model's state. Calls of a program that has one take turns, in the order in which they come, as
/// [`Model::effects`] tells. [`Model::try_clone`] gives a model with a state of its own.
#[derive(Debug)]
pub struct Model {
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

impl Model {
    /// Loads a program from a `.pt2` file.
    pub fn load(path: &Path, options: &LoadOptions) -> Result<Model> {
        span("load", || {
            span("start libtorch", || torch::start(options.cuda));
            let archive = Archive::open(path, &options.read)?;
            Model::from_archive(&archive, options).map_err(|error| error.in_archive(path))
        })
    }

    /// Loads a program from the bytes of a `.pt2` file, which are copied.
    pub fn load_from_memory(bytes: &[u8], options: &LoadOptions) -> Result<Model> {
        torch::start(options.cuda);
        Model::from_archive(&Archive::from_slice(bytes, &options.read)?, options)
    }

    /// Loads a program from an open archive, which may be closed afterwards.
    pub fn from_archive(archive: &Archive, options: &LoadOptions) -> Result<Model> {
        torch::start(options.cuda);
        let name = choose(archive, options.model.as_deref())?;
        let text = archive.program(&name)?;
        let program = span("parse", || Program::parse(text.bytes()))?;
        let device = options.device.map_or_else(|| exported_on(&program.interface), Ok)?;
        let stored = span("list weights", || weights::read(archive, &name))?;
        let checksums = Checksums::begin(&stored, device, archive.verifies());
        let mut function = span("graph", || graph::build(&program.graph_module))?;
        span("policy", || Policy::allowing(&options.allowed_operators)?.check(&function))?;
        plan::spell_out(&mut function)?;
        span("device", || device.require())?;
        let _libraries = Loading::begin(device, &plan::families(&function.graph));
        weights::check(&function, &stored)?;
        weights::tell_shared(&mut function, &stored);
        let level = options.optimization;
        span("passes", || passes::run(&mut function, level, &plan::traits(device)))?;
        let (plan, base) = span("bind", || bind(stored, checksums, function, device))?;
        let Program { interface, torch_version, .. } = program;
        let recordings = recordings(&plan, options.recording);
        let loaded = Loaded { plan, base, interface, name, torch_version, recordings, _libraries };
        Ok(Model { loaded: Arc::new(loaded), own: None })
    }

    /// The same program with a state of its own, which begins as this one is now: after the calls that came
    /// before, and before those that come later. Weights that the program does not write to are shared, so a
    /// clone of a program without a state costs nothing. Waits for the device if there is a state to copy.
    pub fn try_clone(&self) -> Result<Model> {
        let state = self.state()?;
        let own = match state.is_constant() {
            true => None,
            false => Some(Arc::new(state.try_clone(&self.loaded.plan)?)),
        };
        Ok(Model { loaded: Arc::clone(&self.loaded), own })
    }

    /// Puts the state back to what the archive holds, in turn with the calls. Clones keep theirs. On CUDA the
    /// copies are queued on the stream, as a call is.
    pub fn reset_state(&self, options: &RunOptions) -> Result<()> {
        let state = self.state()?;
        let Some(_turn) = state.turn() else { return Ok(()) };
        let _scope = self.enter(options)?;
        state.fill_from(&self.loaded.base.get()?.weights)
    }

    /// Runs the program. Inputs and outputs are flat, in the order of [`Model::interface`]; None stands for
    /// Python's None and for inputs that are constants of the program. Numbers come and go as 0-d tensors.
    ///
    /// Every input is checked before anything runs. On an error the model stays usable, and a program that
    /// writes to its state may have written part of it.
    pub fn run(&self, inputs: &[Option<Tensor>], options: &RunOptions) -> Result<Vec<Option<Tensor>>> {
        span("run", || self.accept_and_run(inputs, options))
    }

    /// Prepares calls with inputs of these sizes, strides, dtypes and numbers, so that the first of them costs no more
    /// than later ones: libraries choose and keep their algorithms, and on a CUDA device the kernels are recorded,
    /// if they can be. cuDNN keeps part of it for each thread, so let the thread warm that will call.
    ///
    /// Inputs are checked as those of [`Model::run`] are, and are not written to; neither is the model's state. A
    /// program that draws random numbers is refused, for its runs would move them on. Returns when all is done.
    pub fn warm(&self, inputs: &[Option<Tensor>], options: &RunOptions) -> Result<()> {
        span("warm", || warm::warm(self, inputs, options))
    }

    fn check(&self, inputs: &[Option<Tensor>]) -> Result<Vec<run::Input>> {
        span("check inputs", || inputs::accept(self.interface(), self.device(), inputs))
    }

    fn accept_and_run(&self, inputs: &[Option<Tensor>], options: &RunOptions) -> Result<Vec<Option<Tensor>>> {
        let inputs = self.check(inputs)?;
        let state = span("wait for constants", || self.state())?;
        let _turn = state.turn();
        let scope = self.enter(options)?;
        let Some(recordings) = &self.loaded.recordings else { return self.steps(state, &scope, &inputs) };
        if let Some(outputs) = span("launch recording", || recordings.launch(&scope, &inputs))? {
            return Ok(outputs);
        }
        let outputs = self.steps(state, &scope, &inputs)?;
        span("record", || recordings.count(&self.loaded.plan, state.weights(), &inputs));
        Ok(outputs)
    }

    fn steps(&self, state: &State, scope: &Scope, inputs: &[run::Input]) -> Result<Vec<Option<Tensor>>> {
        let plan = &self.loaded.plan;
        let mut frame = state.frame(plan)?;
        let outputs = span("steps", || run::run(plan, scope, &mut frame, inputs))?;
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

fn choose(archive: &Archive, wanted: Option<&str>) -> Result<String> {
    let models = archive.models();
    match (wanted, models) {
        (Some(name), _) if models.iter().any(|model| model == name) => Ok(name.into()),
        (None, [only]) => Ok(only.clone()),
        _ => Err(Error::Argument {
            argument: "model",
            reason: format!("name one of the models in the archive: {}", models.join(", ")),
        }),
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
