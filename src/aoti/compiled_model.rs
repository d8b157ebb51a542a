//! Compiled code as a model: calls, clones and resets.

use super::admission::Admission;
use super::completeness::require_weights;
use super::concurrency::max_concurrent_calls;
use super::constants::ContainerConstants;
use super::input_alignment;
use super::inputs::{CheckedInputs, check_inputs, give_back};
use super::{DeclaredInput, NativeCodeOptions, PackageInterface, ValidatedPackage, WrapperSource};
use crate::exec::{hand_out, mutated_inputs};
use crate::lock::lock;
use crate::parallel::join;
use crate::plan::Effects;
use crate::pool::Pool;
use crate::program::Interface;
use crate::timeline::span;
use crate::torch::aoti::{ContainerInfo, KernelFolder, ModelContainer, NativeLibrary};
use crate::torch::{Device, Failure, Scope, Tensor, Workspace};
use crate::weights::ParameterKind;
use crate::{Error, Result};
use libc::c_void;
use std::collections::BTreeSet;
use std::ptr;
use std::sync::{Arc, Mutex};

/// Compiled code with constants of its own. Any number of threads may run it at once; they wait in front of it in the order in which they came.
#[derive(Debug)]
pub struct CompiledModel {
    pub(super) admission: Admission,
    /// Before the container, whose memory they are.
    pub(super) constants: ContainerConstants,
    /// Before what it was made from.
    pub(super) container: ModelContainer,
    pub(super) made: Arc<Made>,
    /// The names of the constants that were given other values.
    pub(super) given: Mutex<BTreeSet<String>>,
    /// On the CPU, memory that no call works in.
    idle: Pool<Workspace>,
}

/// What all clones share.
#[derive(Debug)]
pub(super) struct Made {
    interface: PackageInterface,
    /// None where nobody tells.
    effects: Option<Effects>,
    device: Device,
    /// What the address of an input has to be a multiple of.
    alignment: usize,
    name: String,
    torch_version: Option<String>,
    instances: usize,
    library: Arc<NativeLibrary>,
    kernels: Option<KernelFolder>,
}

impl CompiledModel {
    /// Makes the first container of a library that was loaded.
    pub(super) fn start(
        mut validated: ValidatedPackage,
        library: Arc<NativeLibrary>,
        kernels: Option<KernelFolder>,
        native_code: &NativeCodeOptions,
    ) -> Result<CompiledModel> {
        let (device, name) = (validated.device, validated.package.model.clone());
        let failed = |failure: Failure| failed_in(&name, failure);
        let scope = Scope::enter(device, ptr::null_mut()).map_err(failed)?;
        let instances = max_concurrent_calls(validated.effects.as_ref(), device, native_code);
        let folder = kernels.as_ref().map(KernelFolder::path);
        let open = || span("container", || ModelContainer::open(&library, device, folder, instances));
        // The code was copied, and making a container takes one thread and much memory.
        let copied = &validated.library;
        let mut container = join(copied.len(), || copied.discard(), open).map_err(failed)?;
        require_weights(false, &container.missing().map_err(failed)?)?;
        let described = validated.settle(source_of(container.info().map_err(failed)?))?;
        described.interface.require_describable()?;
        read_from_file(&mut container, device, &scope).map_err(failed)?;
        // Calls come on streams of their own, which do not wait for the one that computes here.
        span("fold", || container.fold(&scope).and_then(|()| device.finish())).map_err(failed)?;
        drop(scope);
        let effects = validated.effects.take();
        let torch_version = validated.torch_version.take();
        let interface = described;
        let alignment = input_alignment::input_alignment(&validated.requirements);
        let made =
            Made { interface, effects, device, alignment, name, torch_version, instances, library, kernels };
        CompiledModel::of(container, Arc::new(made))
    }

    fn of(container: ModelContainer, made: Arc<Made>) -> Result<CompiledModel> {
        let constants = made.constants(&container)?;
        let admission = Admission::new(made.instances);
        Ok(CompiledModel {
            admission,
            constants,
            container,
            made,
            given: Mutex::default(),
            idle: Pool::default(),
        })
    }

    /// Runs the code. Inputs and outputs are flat, in the order of [`CompiledModel::interface`]. Every input is checked
    /// before anything runs; one that lies otherwise than the code was compiled for is copied.
    pub fn run(&self, inputs: &[Option<Tensor>], stream: *mut c_void) -> Result<Vec<Option<Tensor>>> {
        let mut accepted = span("check inputs", || self.accept(inputs))?;
        let failed = |failure| failed_in(&self.made.name, failure);
        let scope = Scope::enter(self.device(), stream).map_err(failed)?;
        let copied = accepted.lay_out().map_err(failed)?;
        let permit = self.admission.acquire();
        let outputs =
            span("code", || self.work(|| self.container.run(&accepted.tensors, &scope))).map_err(failed)?;
        permit.succeeded();
        drop(permit);
        give_back(&copied).map_err(failed)?;
        hand_out(outputs, self.interface().outputs.iter().map(|port| port.name.as_str()))
    }

    fn accept(&self, inputs: &[Option<Tensor>]) -> Result<CheckedInputs> {
        let accepted = check_inputs(&self.made.interface, self.device(), self.made.alignment, inputs)?;
        mutated_inputs::check(self.interface(), &self.effects().inputs, inputs)?;
        Ok(accepted)
    }

    /// Does what allocates in memory that earlier calls worked in. On a CUDA device libtorch's own allocator does that.
    fn work<T>(&self, call: impl FnOnce() -> T) -> T {
        if self.device() != Device::Cpu {
            return call();
        }
        let workspace = self.idle.take().unwrap_or_default();
        let working = workspace.enter();
        let result = call();
        drop(working);
        self.idle.put(workspace);
        result
    }

    /// The same code with a state of its own, which begins as this one's is now; all else is shared. Waits for the device.
    pub fn try_clone(&self) -> Result<CompiledModel> {
        // Before there is another container, so that there are never three times the constants.
        if self.can_leave() {
            self.change(|| self.leave())?;
        }
        let mut container = self.opened(self.instances())?;
        let scope = self.scope(ptr::null_mut())?;
        read_from_file(&mut container, self.device(), &scope).map_err(|failure| self.failed(failure))?;
        drop(scope);
        let clone = CompiledModel::of(container, Arc::clone(&self.made))?;
        {
            let _alone = self.admission.acquire_all();
            clone.change(|| {
                clone.constants.follow(&self.constants, |_| true)?;
                clone.leave()
            })?;
            lock(&clone.given).clone_from(&lock(&self.given));
        }
        Ok(clone)
    }

    /// Puts what it writes to back to what the package holds, between two calls: what a program beside it calls its
    /// state, or every constant where nobody tells, except those that were given other values.
    pub fn reset(&self) -> Result<()> {
        let (_container, fresh) = self.fresh()?;
        let (state, given) = (&self.effects().state, lock(&self.given).clone());
        let has_state = !state.is_empty();
        self.change(|| {
            self.constants.follow(&fresh, |name| match has_state {
                true => state.iter().any(|written| written == name),
                false => !given.contains(name),
            })
        })
    }

    /// What it takes and gives.
    pub fn interface(&self) -> &Interface {
        &self.made.interface.interface
    }

    /// What it writes to besides its outputs, where a program beside it tells.
    pub fn effects(&self) -> &Effects {
        static NONE: Effects = Effects { state: Vec::new(), inputs: Vec::new() };
        self.made.effects.as_ref().unwrap_or(&NONE)
    }

    /// Where it runs.
    pub fn device(&self) -> Device {
        self.made.device
    }

    /// Its name in the archive.
    pub fn name(&self) -> &str {
        &self.made.name
    }

    /// The PyTorch that compiled it; empty where nobody recorded it.
    pub fn torch_version(&self) -> &str {
        self.made.torch_version.as_deref().unwrap_or_default()
    }

    /// How many calls may be inside at once.
    pub fn instances(&self) -> usize {
        self.made.instances
    }

    /// The constants of the package once more, and what holds them.
    pub(super) fn fresh(&self) -> Result<(ModelContainer, ContainerConstants)> {
        let container = self.opened(1)?;
        let constants = self.made.constants(&container)?;
        Ok((container, constants))
    }

    fn opened(&self, instances: usize) -> Result<ModelContainer> {
        let _scope = self.scope(ptr::null_mut())?;
        let kernels = self.made.kernels.as_ref().map(KernelFolder::path);
        ModelContainer::open(&self.made.library, self.device(), kernels, instances)
            .map_err(|failure| self.failed(failure))
    }

    pub(super) fn scope(&self, stream: *mut c_void) -> Result<Scope> {
        Scope::enter(self.device(), stream).map_err(|failure| self.failed(failure))
    }

    pub(super) fn failed(&self, failure: Failure) -> Error {
        failed_in(&self.made.name, failure)
    }
}

impl Made {
    fn constants(&self, container: &ModelContainer) -> Result<ContainerConstants> {
        let constants = ContainerConstants::of(container, |name, kind| self.writes_to(name, kind));
        constants.map_err(|failure| failed_in(&self.name, failure))
    }

    /// Whether calls may write to a constant. Where nobody tells, none writes to a parameter: the code that AOTInductor
    /// 2.11 compiles returns what the program would write there.
    fn writes_to(&self, name: &str, kind: ParameterKind) -> bool {
        match &self.effects {
            Some(effects) => effects.state.iter().any(|written| written == name),
            None => kind != ParameterKind::Parameter,
        }
    }
}

impl Drop for CompiledModel {
    /// What was queued on any stream reads constants, which go with the container.
    fn drop(&mut self) {
        let _ = self.device().finish();
    }
}

/// On the CPU constants need not lie in memory twice, as what the library holds and as what its container copied.
fn read_from_file(container: &mut ModelContainer, device: Device, scope: &Scope) -> Result<(), Failure> {
    match device {
        Device::Cpu => span("read from the file", || container.read_from_file(scope)).map(drop),
        Device::Cuda(_) => Ok(()),
    }
}

fn source_of(info: ContainerInfo) -> WrapperSource {
    let inputs = info.inputs.into_iter().map(|name| DeclaredInput { name, ..DeclaredInput::default() });
    let (in_spec, out_spec) = (info.in_spec, info.out_spec);
    WrapperSource {
        inputs: inputs.collect(),
        in_spec,
        out_spec,
        outputs: info.outputs,
        ..WrapperSource::default()
    }
}

fn failed_in(model: &str, failure: Failure) -> Error {
    failure.into_error(|reason| Error::Operator {
        node: model.into(),
        target: "code compiled by AOTInductor".into(),
        reason,
        trace: None,
    })
}
