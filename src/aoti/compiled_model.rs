//! Compiled code as a model: calls, clones and resets.

use super::admission::Admission;
use super::completeness::require_weights;
use super::constants::ContainerConstants;
use super::input_alignment;
use super::inputs::{check_inputs, give_back};
use super::instances::instance_count;
use super::{DeclaredInput, NativeCodeOptions, PackageInterface, ValidatedPackage, WrapperSource};
use crate::exec::hand_out;
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

/// Compiled code with its own constants. It is thread-safe: callers wait for admission in order of
/// arrival.
#[derive(Debug)]
pub struct CompiledModel {
    pub(super) admission: Admission,
    /// Dropped before the container, which owns their memory.
    pub(super) constants: ContainerConstants,
    /// Dropped before the library and kernels that it was made from.
    pub(super) container: ModelContainer,
    pub(super) made: Arc<Made>,
    /// Names of the constants that were swapped.
    pub(super) given: Mutex<BTreeSet<String>>,
    /// Idle workspaces; used on the CPU only.
    idle: Pool<Workspace>,
}

/// Data that all clones share.
#[derive(Debug)]
pub(super) struct Made {
    interface: PackageInterface,
    /// None if there is no program that records them.
    effects: Option<Effects>,
    device: Device,
    /// Alignment that the code needs of its inputs, in bytes.
    alignment: usize,
    name: String,
    torch_version: Option<String>,
    instances: usize,
    library: Arc<NativeLibrary>,
    kernels: Option<KernelFolder>,
}

impl CompiledModel {
    /// Makes the first container of a loaded library.
    pub(super) fn start(
        mut validated: ValidatedPackage,
        library: Arc<NativeLibrary>,
        kernels: Option<KernelFolder>,
        native_code: &NativeCodeOptions,
    ) -> Result<CompiledModel> {
        let (device, name) = (validated.device, validated.package.model.clone());
        let failed = |failure: Failure| failed_in(&name, failure);
        let scope = Scope::enter(device, ptr::null_mut()).map_err(failed)?;
        let instances = instance_count(validated.effects.as_ref(), device, native_code);
        let folder = kernels.as_ref().map(KernelFolder::path);
        let open = || span("container", || ModelContainer::open(&library, device, folder, instances));
        // Making a container keeps one thread busy. In parallel, the archive's pages of the library
        // are released, because the code is in a memory file.
        let copied = &validated.library;
        let mut container = join(copied.len(), || copied.discard(), open).map_err(failed)?;
        require_weights(false, &container.missing().map_err(failed)?)?;
        let described = validated.settle(source_of(container.info().map_err(failed)?))?;
        described.interface.require_describable()?;
        read_from_file(&mut container, device, &scope).map_err(failed)?;
        // Calls use other streams, which do not wait for this one.
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

    /// Runs the code. Inputs and outputs are flat, in the order of [`CompiledModel::interface`].
    ///
    /// Every input is checked before anything runs. Inputs with other strides or alignment than the
    /// code was compiled for are copied.
    pub fn run(&self, inputs: &[Option<Tensor>], stream: *mut c_void) -> Result<Vec<Option<Tensor>>> {
        let made = &self.made;
        let written = &self.effects().inputs;
        let check = || check_inputs(&made.interface, made.device, made.alignment, written, inputs);
        let mut checked = span("check inputs", check)?;
        let failed = |failure| failed_in(&self.made.name, failure);
        let scope = Scope::enter(self.device(), stream).map_err(failed)?;
        let copied = checked.lay_out().map_err(failed)?;
        let permit = self.admission.acquire();
        let outputs =
            span("code", || self.work(|| self.container.run(&checked.tensors, &scope))).map_err(failed)?;
        permit.succeeded();
        drop(permit);
        give_back(&copied).map_err(failed)?;
        hand_out(outputs, self.interface().outputs.iter().map(|port| port.name.as_str()))
    }

    /// Runs an allocating function with a workspace of earlier calls. On CUDA, libtorch's own
    /// allocator caches memory.
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

    /// Returns the same code with a copy of the state; all else is shared. Waits for the device.
    pub fn try_clone(&self) -> Result<CompiledModel> {
        // Releases the container's own constants before another container exists, to limit peak
        // memory.
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

    /// Restores the constants that the code writes to from the package, between two calls.
    ///
    /// These are the state that the program declares. If it declares none, all constants that were
    /// not swapped are restored.
    pub fn reset(&self) -> Result<()> {
        let (_container, fresh) = self.fresh()?;
        let (state, given) = (&self.effects().state, lock(&self.given).clone());
        let has_state = !state.is_empty();
        self.change(|| {
            self.constants.follow(&fresh, |name| {
                if has_state { state.iter().any(|written| written == name) } else { !given.contains(name) }
            })
        })
    }

    /// Returns the inputs and outputs of the code.
    pub fn interface(&self) -> &Interface {
        &self.made.interface.interface
    }

    /// Returns the memory that the code writes to besides its outputs; nothing if no program
    /// records it.
    pub fn effects(&self) -> &Effects {
        static NONE: Effects = Effects { state: Vec::new(), inputs: Vec::new() };
        self.made.effects.as_ref().unwrap_or(&NONE)
    }

    /// Returns the device that the code runs on.
    pub fn device(&self) -> Device {
        self.made.device
    }

    /// Returns the name of the model in the archive.
    pub fn name(&self) -> &str {
        &self.made.name
    }

    /// Returns the PyTorch version that compiled the code; empty if it was not recorded.
    pub fn torch_version(&self) -> &str {
        self.made.torch_version.as_deref().unwrap_or_default()
    }

    /// Returns the number of concurrent calls.
    pub fn instances(&self) -> usize {
        self.made.instances
    }

    /// Opens another container with the package's constants, and returns it with them.
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

    /// Returns true if calls may write to a constant.
    ///
    /// Without a program, only parameters are known not to be written. Code of AOTInductor 2.11
    /// returns the new value of a parameter instead of writing it.
    fn writes_to(&self, name: &str, kind: ParameterKind) -> bool {
        match &self.effects {
            Some(effects) => effects.state.iter().any(|written| written == name),
            None => kind != ParameterKind::Parameter,
        }
    }
}

impl Drop for CompiledModel {
    /// Waits for the device: work on any stream may read constants, which are freed with the
    /// container.
    fn drop(&mut self) {
        let _ = self.device().finish();
    }
}

/// Replaces the container's copy of the constants by the library's own bytes, on the CPU.
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
