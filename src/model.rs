//! The Rust face: load a program, ask about it, run it.

mod inputs;
mod options;

pub use options::{LoadOptions, Optimization, RunOptions};

use crate::archive::Archive;
use crate::graph::Function;
use crate::plan::{Effects, Plan, Policy};
use crate::program::{Interface, Port, PortKind, Program, schema};
use crate::torch::{self, Device, Frame, Scope, Tensor};
use crate::{Error, Result, graph, passes, plan, run, weights};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A program with its weights on a device. Any number of threads may run it at once; they share the weights.
///
/// Calls of a program that writes to its own buffers or parameters take turns, in the order in which they
/// come, as [`Model::effects`] tells.
#[derive(Debug)]
pub struct Model {
    plan: Plan,
    interface: Interface,
    name: String,
    torch_version: String,
    idle: Mutex<Vec<Frame>>,
    turn: Mutex<()>,
}

impl Model {
    /// Loads a program from a `.pt2` file.
    pub fn load(path: &Path, options: &LoadOptions) -> Result<Model> {
        torch::start(options.cuda);
        let archive = Archive::open(path, &options.read)?;
        Model::from_archive(&archive, options).map_err(|error| error.in_archive(path))
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
        let program = Program::parse(archive.program(&name)?.bytes())?;
        let mut function = graph::build(&program.graph_module)?;
        Policy::allowing(&options.allowed_operators)?.check(&function)?;
        plan::spell_out(&mut function)?;
        passes::run(&mut function)?;
        let device = options.device.map_or_else(|| exported_on(&program.interface), Ok)?;
        device.require()?;
        let plan = bind(archive, &name, &function, device)?;
        let Program { interface, torch_version, .. } = program;
        Ok(Model { plan, interface, name, torch_version, idle: Mutex::default(), turn: Mutex::default() })
    }

    /// Runs the program. Inputs and outputs are flat, in the order of [`Model::interface`]; None stands for
    /// Python's None and for inputs that are constants of the program. Numbers come and go as 0-d tensors.
    ///
    /// Every input is checked before anything runs. On an error the model stays usable, and a program that
    /// writes to its state may have written part of it.
    pub fn run(&self, inputs: &[Option<Tensor>], options: &RunOptions) -> Result<Vec<Option<Tensor>>> {
        let inputs = inputs::accept(&self.interface, self.plan.device, inputs)?;
        let _turn = (!self.plan.effects.state.is_empty()).then(|| lock(&self.turn));
        let scope =
            Scope::enter(self.plan.device, options.stream).map_err(|failure| failure.outside_node())?;
        let idle = lock(&self.idle).pop();
        let mut frame = idle.map_or_else(|| run::frame(&self.plan), Ok)?;
        let outputs = run::run(&self.plan, &scope, &mut frame, &inputs)?;
        lock(&self.idle).push(frame);
        Ok(outputs)
    }

    /// What the program takes and gives.
    pub fn interface(&self) -> &Interface {
        &self.interface
    }

    /// Where it runs.
    pub fn device(&self) -> Device {
        self.plan.device
    }

    /// What it writes to besides its outputs.
    pub fn effects(&self) -> &Effects {
        &self.plan.effects
    }

    /// Its name in the archive.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The PyTorch version that exported it, as the archive says.
    pub fn torch_version(&self) -> &str {
        &self.torch_version
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

fn bind(archive: &Archive, name: &str, function: &Function, device: Device) -> Result<Plan> {
    let stored = weights::read(archive, name)?;
    weights::check(function, &stored)?;
    let placed = weights::place::place(&stored, device, archive.verifies())?;
    plan::build(function, &placed, device)
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

/// What these locks guard is whole at every moment, so a thread that died holding one left nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
