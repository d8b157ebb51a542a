//! Exported program as a model: loads it, describes it and runs it.

use super::active_weights::{ActiveSet, ActiveWeights, CallGuard};
use super::planned_program::PlannedProgram;
use super::preload::Preload;
use super::tuning_cache::TuningCache;
use super::weight_set::WeightSet;
use super::{
    LoadOptions, Optimization, Parameter, RunOptions, Statistics, inputs, parameter_list, read_program,
};
use crate::archive::Archive;
use crate::exec::CudaGraphCache;
use crate::plan::{Effects, Policy};
use crate::program::{Interface, Port, PortKind, Program, schema};
use crate::timeline::span;
use crate::torch::{self, Device, Scope, Tensor};
use crate::{Error, Result, exec, graph, passes, plan, reserve, weights};
use std::sync::Arc;

/// Program with its weights on a device. It is thread-safe, and all threads share the weights.
///
/// The memory that the program writes to (buffers, parameters, constants and all that shares
/// storage with them) is the model's state. Calls of a program with a state run one at a time, in
/// order of arrival ([`ExportedModel::effects`]). [`ExportedModel::try_clone`] returns a model with
/// a state of its own.
///
/// [`ExportedModel::swap_parameters`] replaces weights at any time. A call runs on the weights that
/// were active when it began.
#[derive(Debug)]
pub(crate) struct ExportedModel {
    /// First field, so that it is dropped first: its drop waits for kernels that read the weights.
    pub(super) current: ActiveWeights,
    pub(super) loaded: Arc<Loaded>,
}

/// Data that all clones share.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) planned: Arc<PlannedProgram>,
    pub(super) parameters: Vec<Parameter>,
    pub(super) interface: Interface,
    pub(super) name: String,
    pub(super) torch_version: String,
    pub(super) tuning: Option<TuningCache>,
    pub(super) preload: Preload,
}

impl ExportedModel {
    /// Loads a model's program from an open archive, which the caller may close afterwards. A program
    /// that was `parsed` before is not parsed again.
    pub fn load(
        archive: &Archive,
        name: String,
        parsed: Option<Program>,
        options: &LoadOptions,
    ) -> Result<ExportedModel> {
        let text = archive.program(&name)?;
        let mut preload = Preload::default();
        let mut begin = |device| preload.begin(device, text.bytes(), options.optimization);
        options.device.map_or(Ok(()), &mut begin)?;
        let (program, stored) = read_program::read_program(archive, &name, text.bytes(), parsed)?;
        reserve::check()?;
        program.interface.require_describable()?;
        let device = match options.device {
            Some(device) => device,
            None => exported_on(&program.interface).and_then(|device| begin(device).map(|()| device))?,
        };
        let mut function = span("graph", || graph::import(&program.graph_module))?;
        torch::process::ready()?;
        span("policy", || Policy::allowing(&options.allowed_operators)?.check(&function))?;
        plan::lower_higher_order(&mut function)?;
        span("lowering", || plan::lower_for_device(&mut function, device))?;
        let tuning = match (&options.tuning, options.optimization) {
            (Some(folder), Optimization::Fast) => TuningCache::open(folder, device, text.bytes())?,
            _ => None,
        };
        let profile = plan::device_profile(device, tuning.is_some());
        weights::check(&function, &stored.tensors)?;
        weights::describe(&mut function, &stored.tensors);
        let parameters = parameter_list::parameters(&function, &stored.tensors);
        span("passes", || passes::run(&mut function, options.optimization, &profile))?;
        reserve::check()?;
        preload.kernels(device, &function.graph, &program.interface.names);
        let mut planned = PlannedProgram::new(&stored.tensors, function, device, options.cuda_graphs)?;
        planned.plan.output_names = program.interface.outputs.iter().map(|port| port.name.clone()).collect();
        let planned = Arc::new(planned);
        let first = span("bind", || planned.first(stored.verification))?;
        let current = ActiveWeights::new(first, !planned.written().is_empty());
        let Program { interface, torch_version, .. } = program;
        let loaded = Loaded { planned, parameters, interface, name, torch_version, tuning, preload };
        Ok(ExportedModel { loaded: Arc::new(loaded), current })
    }

    /// Returns a model of the same program and weights with a state of its own.
    ///
    /// The new state is a copy taken after the earlier calls and before the later ones. Weights
    /// without mutations are shared, so a clone of a program without a state costs nothing. Later
    /// swaps of either model do not affect the other. Waits for the device if there is a state to
    /// copy.
    pub fn try_clone(&self) -> Result<ExportedModel> {
        let call = self.current.call()?;
        let weight_set = if self.current.takes_turns() {
            Arc::new(call.weight_set.try_clone(&self.loaded.planned)?)
        } else {
            call.weight_set
        };
        let current = ActiveWeights::new(ActiveSet::Ready(weight_set), self.current.takes_turns());
        Ok(ExportedModel { loaded: Arc::clone(&self.loaded), current })
    }

    /// Restores the state to the weights of the archive, or to those that were swapped in.
    ///
    /// Runs in order with the calls. Clones keep their state. On CUDA the copies are queued on the
    /// stream, as a call is.
    pub fn reset_state(&self, options: &RunOptions) -> Result<()> {
        if !self.current.takes_turns() {
            return Ok(());
        }
        let CallGuard { weight_set, .. } = &self.current.call()?;
        let _scope = self.enter(options)?;
        weight_set.state.fill_from(&weight_set.weights)
    }

    /// Runs the program. Inputs and outputs are flat, in the order of [`ExportedModel::interface`].
    ///
    /// None stands for Python's None and for inputs that are constants of the program. Numbers are
    /// 0-d tensors.
    ///
    /// Every input is checked before anything runs. After an error the model stays usable, but a
    /// program may have written part of its state.
    pub fn run(&self, inputs: &[Option<Tensor>], options: &RunOptions) -> Result<Vec<Option<Tensor>>> {
        let mut inputs = self.checked(inputs)?;
        let CallGuard { weight_set, .. } = &span("wait for constants", || self.current.call())?;
        weight_set.begin(&self.loaded.planned)?;
        let scope = self.enter(options)?;
        exec::alias_mutated(&self.effects().inputs, &mut inputs)?;
        if self.loaded.planned.plan.has_bitcasts {
            inputs::align(self.interface(), &self.effects().inputs, &mut inputs)?;
        }
        let Some(cuda_graphs) = &weight_set.cuda_graphs else {
            return self.steps(weight_set, &scope, &inputs);
        };
        if let Some(outputs) = span("launch CUDA graph", || cuda_graphs.launch(&scope, &inputs))? {
            return Ok(outputs);
        }
        let outputs = self.steps(weight_set, &scope, &inputs)?;
        if let Some(tuning) = &self.loaded.tuning {
            tuning.save();
        }
        span("count calls", || {
            cuda_graphs.count(&self.loaded.planned.plan, weight_set.state.bound(), &inputs)
        });
        Ok(outputs)
    }

    /// Checks the caller's inputs. The first call ends the wait of the background warm-up.
    pub(super) fn checked(&self, given: &[Option<Tensor>]) -> Result<Vec<exec::Input>> {
        let written = &self.effects().inputs;
        let check = || inputs::check_inputs(self.interface(), self.device(), written, given);
        let (inputs, bindings) = span("check inputs", check)?;
        self.loaded.preload.called(bindings);
        Ok(inputs)
    }

    pub(super) fn steps(
        &self,
        weight_set: &WeightSet,
        scope: &Scope,
        inputs: &[exec::Input],
    ) -> Result<Vec<Option<Tensor>>> {
        let plan = &self.loaded.planned.plan;
        let mut frame = weight_set.state.frame(plan)?;
        let working = frame.work(plan.device);
        let outputs = span("steps", || exec::run_for_caller(plan, scope, &mut frame, inputs));
        drop(working);
        self.loaded.planned.release_after_call(scope);
        let outputs = outputs?;
        weight_set.state.return_frame(frame);
        Ok(outputs)
    }

    /// Returns counters of CUDA graphs. Clones without a state share them.
    ///
    /// A CUDA graph holds addresses of weights, so it is dropped together with its weight set.
    pub fn statistics(&self) -> Statistics {
        let planned = &self.loaded.planned;
        let weight_set = self.current.ready();
        let cuda_graphs = weight_set.as_ref().and_then(|weight_set| weight_set.cuda_graphs.as_ref());
        let mut statistics = cuda_graphs.map(CudaGraphCache::statistics).unwrap_or_default();
        statistics.launches = planned.launches();
        statistics.refusal = statistics.refusal.or_else(|| planned.plan.capture_refusal.clone());
        statistics
    }

    pub(super) fn enter(&self, options: &RunOptions) -> Result<Scope> {
        Scope::enter(self.device(), options.stream).map_err(|failure| failure.outside_node())
    }

    /// Returns the inputs and outputs of the program.
    pub fn interface(&self) -> &Interface {
        &self.loaded.interface
    }

    /// Returns the device that the program runs on.
    pub fn device(&self) -> Device {
        self.loaded.planned.plan.device
    }

    /// Returns the memory that the program writes to besides its outputs.
    pub fn effects(&self) -> &Effects {
        &self.loaded.planned.plan.effects
    }

    /// Returns the name of the model in the archive.
    pub fn name(&self) -> &str {
        &self.loaded.name
    }

    /// Returns the PyTorch version that exported the program, as recorded in the archive.
    pub fn torch_version(&self) -> &str {
        &self.loaded.torch_version
    }
}

/// Returns the device of the first input or output tensor; the CPU for a program without any.
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
