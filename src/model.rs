//! The Rust face: load a program or compiled code, ask about it, run it.

mod current;
mod deferred;
mod destinations;
mod face;
mod folded;
mod folding;
mod inputs;
mod options;
mod origin;
mod parameter;
mod preparation;
mod read;
mod state;
mod swap;
mod tuning;
mod version;
mod warm;

pub use crate::compiled::{Form, Permission};
pub use crate::passes::Optimization;
pub use crate::run::Statistics;
pub use crate::weights::{Parameter, ParameterKind};
pub use face::Model;
pub use options::{LoadOptions, Recording, RunOptions};

use crate::archive::Archive;
use crate::plan::{Effects, Policy};
use crate::program::{Interface, Port, PortKind, Program, schema};
use crate::run::{Recordings, written};
use crate::timeline::span;
use crate::torch::{Device, Scope, Tensor};
use crate::{Error, Result, graph, passes, plan, reserve, run, weights};
use current::{Call, Current, Stage};
use origin::Origin;
use preparation::Preparation;
use std::sync::Arc;
use tuning::Tuning;
use version::Version;

/// A program with its weights on a device. Any number of threads may run it at once; they share the weights.
///
/// What the program writes to (buffers, parameters, constants, and all that shares a storage with them) is the
/// model's state. Calls of a program that has one take turns, in the order in which they come, as
/// [`Exported::effects`] tells. [`Exported::try_clone`] gives a model with a state of its own.
///
/// The weights can be given other values at any time ([`Exported::swap_parameters`]). A call runs on the weights that
/// the model had when it began.
#[derive(Debug)]
pub(crate) struct Exported {
    /// First, for it waits for kernels that read the weights.
    current: Current,
    loaded: Arc<Loaded>,
}

/// What all clones share.
#[derive(Debug)]
struct Loaded {
    origin: Arc<Origin>,
    parameters: Vec<Parameter>,
    interface: Interface,
    name: String,
    torch_version: String,
    tuning: Option<Tuning>,
    preparation: Preparation,
}

impl Exported {
    /// Loads a model's program from an open archive, which may be closed afterwards.
    pub fn load(archive: &Archive, name: String, options: &LoadOptions) -> Result<Exported> {
        let text = archive.program(&name)?;
        let mut preparation = Preparation::default();
        let mut begin = |device| preparation.begin(device, text.bytes(), options.optimization);
        options.device.map_or(Ok(()), &mut begin)?;
        let (program, stored) = read::read(archive, &name, text.bytes())?;
        reserve::check()?;
        program.interface.require_describable()?;
        let device = match options.device {
            Some(device) => device,
            None => exported_on(&program.interface).and_then(|device| begin(device).map(|()| device))?,
        };
        let mut function = span("graph", || graph::build(&program.graph_module))?;
        span("policy", || Policy::allowing(&options.allowed_operators)?.check(&function))?;
        plan::lower_higher_order(&mut function)?;
        span("lowering", || plan::lower_for_device(&mut function, device))?;
        let tuning = match (&options.tuning, options.optimization) {
            (Some(folder), Optimization::Fast) => Tuning::open(folder, device, text.bytes())?,
            _ => None,
        };
        let profile = plan::device_profile(device, tuning.is_some());
        weights::check(&function, &stored.tensors)?;
        weights::describe(&mut function, &stored.tensors);
        let parameters = parameter::parameters(&function, &stored.tensors);
        span("passes", || passes::run(&mut function, options.optimization, &profile))?;
        reserve::check()?;
        preparation.kernels(device, &function.graph, &program.interface.names);
        let mut origin = Origin::new(&stored.tensors, function, device, options.recording)?;
        origin.plan.output_names = program.interface.outputs.iter().map(|port| port.name.clone()).collect();
        let origin = Arc::new(origin);
        let first = span("bind", || origin.first(stored.verification))?;
        let current = Current::new(first, !origin.written().is_empty());
        let Program { interface, torch_version, .. } = program;
        let loaded = Loaded { origin, parameters, interface, name, torch_version, tuning, preparation };
        Ok(Exported { loaded: Arc::new(loaded), current })
    }

    /// The same program on the same weights with a state of its own, which begins as this one is now: after the
    /// calls that came before, and before those that come later. Weights that the program does not write to are
    /// shared, so a clone of a program without a state costs nothing. Weights that one of them is given later are
    /// its own. Waits for the device if there is a state to copy.
    pub fn try_clone(&self) -> Result<Exported> {
        let call = self.current.call()?;
        let version = match self.current.takes_turns() {
            true => Arc::new(call.version.try_clone(&self.loaded.origin)?),
            false => call.version,
        };
        let current = Current::new(Stage::Here(version), self.current.takes_turns());
        Ok(Exported { loaded: Arc::clone(&self.loaded), current })
    }

    /// Puts the state back to what the weights are: what the archive holds, or what was given in its place. In turn
    /// with the calls. Clones keep theirs. On CUDA the copies are queued on the stream, as a call is.
    pub fn reset_state(&self, options: &RunOptions) -> Result<()> {
        if !self.current.takes_turns() {
            return Ok(());
        }
        let Call { version, .. } = &self.current.call()?;
        let _scope = self.enter(options)?;
        version.state.fill_from(&version.weights)
    }

    /// Runs the program. Inputs and outputs are flat, in the order of [`Exported::interface`]; None stands for
    /// Python's None and for inputs that are constants of the program. Numbers come and go as 0-d tensors.
    ///
    /// Every input is checked before anything runs. On an error the model stays usable, and a program that
    /// writes to its state may have written part of it.
    pub fn run(&self, inputs: &[Option<Tensor>], options: &RunOptions) -> Result<Vec<Option<Tensor>>> {
        let mut inputs = self.check(inputs)?;
        let Call { version, .. } = &span("wait for constants", || self.current.call())?;
        version.begin(&self.loaded.origin)?;
        let scope = self.enter(options)?;
        written::alias(&self.effects().inputs, &mut inputs)?;
        if self.loaded.origin.plan.has_bitcasts {
            inputs::align(self.interface(), &self.effects().inputs, &mut inputs)?;
        }
        let Some(recordings) = &version.recordings else { return self.steps(version, &scope, &inputs) };
        if let Some(outputs) = span("launch recording", || recordings.launch(&scope, &inputs))? {
            return Ok(outputs);
        }
        let outputs = self.steps(version, &scope, &inputs)?;
        self.loaded.tuning.iter().for_each(Tuning::save);
        span("record", || recordings.count(&self.loaded.origin.plan, version.state.bound(), &inputs));
        Ok(outputs)
    }

    /// Prepares calls with inputs of these sizes, strides, dtypes and numbers, as [`Model::warm`] tells.
    pub fn warm(&self, inputs: &[Option<Tensor>], options: &RunOptions) -> Result<()> {
        warm::warm(self, inputs, options)
    }

    fn check(&self, given: &[Option<Tensor>]) -> Result<Vec<run::Input>> {
        let accept = || inputs::accept(self.interface(), self.device(), given);
        let (inputs, bindings) = span("check inputs", accept)?;
        written::check(self.interface(), &self.effects().inputs, given)?;
        self.loaded.preparation.called(bindings);
        Ok(inputs)
    }

    fn steps(&self, version: &Version, scope: &Scope, inputs: &[run::Input]) -> Result<Vec<Option<Tensor>>> {
        let plan = &self.loaded.origin.plan;
        let mut frame = version.state.frame(plan)?;
        let working = frame.work(plan.device);
        let outputs = span("steps", || run::run_for_caller(plan, scope, &mut frame, inputs));
        drop(working);
        if scope.kept_orders() {
            self.loaded.origin.let_go();
        }
        let outputs = outputs?;
        version.state.put_back(frame);
        Ok(outputs)
    }

    /// How its runs were launched so far. Clones without a state count together. Recordings hold the addresses of
    /// weights, so they go when the weights do.
    pub fn statistics(&self) -> Statistics {
        let origin = &self.loaded.origin;
        let version = self.current.ready();
        let recordings = version.as_ref().and_then(|version| version.recordings.as_ref());
        let mut statistics = recordings.map(Recordings::statistics).unwrap_or_default();
        statistics.launches = origin.launches();
        statistics.refusal = statistics.refusal.or_else(|| origin.plan.capture_refusal.clone());
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
        self.loaded.origin.plan.device
    }

    /// What it writes to besides its outputs.
    pub fn effects(&self) -> &Effects {
        &self.loaded.origin.plan.effects
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
