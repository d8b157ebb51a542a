//! `Model`: one interface to exported programs and to AOTInductor packages.
//!
//! Owns weights, state and folded constants of loaded models. Input: an archive and options.
//! Output: a [`Model`] that a caller runs.

mod active_weights;
mod background;
mod constant_folding;
mod exported;
mod inputs;
mod lazy_constants;
mod options;
mod output_buffers;
mod parameter_list;
mod parameter_swap;
mod planned_program;
mod preload;
mod read_program;
mod state;
mod tuning_cache;
mod warm_up;
mod weight_set;
mod weight_set_builder;

pub use crate::aoti::{Form, NativeCodeOptions};
pub use crate::exec::Statistics;
pub use crate::passes::Optimization;
pub use crate::weights::{Parameter, ParameterKind};
pub use options::{CudaGraphMode, LoadOptions, RunOptions};

use crate::aoti::{self, AvailableForms, CompiledModel, ValidatedPackage};
use crate::archive::Archive;
use crate::plan::Effects;
use crate::program::{Interface, Program};
use crate::timeline::span;
use crate::torch::{self, Context, Device, Failure, Scope, Tensor};
use crate::weights::not_a_clone;
use crate::weights::placement::Assignment;
use crate::{Error, Result};
use exported::ExportedModel;
use output_buffers::OutputBuffers;
use std::path::Path;

/// Model with its weights on a device. It is thread-safe, and all threads share the weights.
///
/// The memory that a program writes to (buffers, parameters, constants and all that shares storage
/// with them) is the model's state. Calls of a program with a state run one at a time, in order of
/// arrival ([`Model::effects`]). Calls of compiled code wait in the same order for a free instance.
/// [`Model::try_clone`] returns a model with a state of its own.
#[derive(Debug)]
pub struct Model(Backend);

const WARM_COMPILED: &str =
    "warm-up of compiled code: a package does not record its writes and random numbers";

#[derive(Debug)]
enum Backend {
    Exported(ExportedModel),
    Compiled(Box<CompiledModel>),
}

impl Model {
    /// Loads a model from a `.pt2` file.
    pub fn load(path: &Path, options: &LoadOptions) -> Result<Model> {
        let load = || {
            let _context = span("start libtorch", || start(options));
            let archive = Archive::open(path, &options.read)?;
            Model::from_archive(&archive, options).map_err(|error| error.in_archive(path))
        };
        span("load", || torch::process::prepare_beside(load))
    }

    /// Loads a model from the bytes of a `.pt2` file, which are copied.
    pub fn load_from_memory(bytes: &[u8], options: &LoadOptions) -> Result<Model> {
        let _context = start(options);
        Model::from_archive(&Archive::from_slice(bytes, &options.read)?, options)
    }

    /// Loads a model from an open archive, which the caller may close afterwards.
    pub fn from_archive(archive: &Archive, options: &LoadOptions) -> Result<Model> {
        let _context = start(options);
        let forms = AvailableForms::choose(archive, options.model.as_deref())?;
        let validated = match choose_form(archive, &forms, options)? {
            ChosenForm::Exported(parsed) => {
                return exported(archive, forms, parsed.map(|program| *program), options);
            }
            ChosenForm::Compiled(validated) => validated,
        };
        match aoti::load(archive, *validated, &options.native_code) {
            Ok(code) => Ok(Model(Backend::Compiled(Box::new(code)))),
            // Some requirements of compiled code are known only once it is loaded.
            Err(Error::Unsupported { .. }) if falls_back(&forms, options) => {
                exported(archive, forms, None, options)
            }
            Err(error) => Err(error),
        }
    }

    /// Returns the same model with a state of its own.
    ///
    /// The new state is a copy taken after the earlier calls and before the later ones. Weights
    /// without mutations are shared, so a clone of a program without a state costs nothing.
    ///
    /// For compiled code, the program beside it declares the state. Without one, a clone copies all
    /// weights but the parameters. Waits for the device if there is anything to copy.
    pub fn try_clone(&self) -> Result<Model> {
        Ok(Model(match &self.0 {
            Backend::Exported(model) => Backend::Exported(model.try_clone()?),
            Backend::Compiled(model) => Backend::Compiled(Box::new(model.try_clone()?)),
        }))
    }

    /// Restores the state to the contents of the archive, in order with the calls. Clones keep
    /// their state.
    ///
    /// On CUDA the copies are queued on the stream, as a call is; for compiled code this waits for
    /// them.
    pub fn reset_state(&self, options: &RunOptions) -> Result<()> {
        match &self.0 {
            Backend::Exported(model) => model.reset_state(options),
            Backend::Compiled(model) => model.reset(),
        }
    }

    /// Runs the model. Inputs and outputs are flat, in the order of [`Model::interface`].
    ///
    /// None stands for Python's None and for inputs that are constants of the program. Numbers are
    /// 0-d tensors.
    ///
    /// Every input is checked before anything runs. After an error the model stays usable, but a
    /// program may have written part of its state.
    pub fn run(&self, inputs: &[Option<Tensor>], options: &RunOptions) -> Result<Vec<Option<Tensor>>> {
        span("run", || match &self.0 {
            Backend::Exported(model) => model.run(inputs, options),
            Backend::Compiled(model) => model.run(inputs, options.stream),
        })
    }

    /// Runs the model and writes each output to a tensor of the caller; None discards an output.
    ///
    /// The tensors have the outputs' dtypes and sizes, any strides, and the outputs' device or the
    /// CPU. They may share memory with inputs, but not with each other or with weights. Elements of
    /// one tensor must not overlap.
    ///
    /// Properties that the interface declares are checked before anything runs, all others before
    /// anything is written.
    pub fn run_into(
        &self,
        inputs: &[Option<Tensor>],
        destinations: &[Option<Tensor>],
        options: &RunOptions,
    ) -> Result<()> {
        let destinations = OutputBuffers::of(self.interface(), destinations)?;
        let outputs = self.run(inputs, options)?;
        let scope = Scope::enter(self.device(), options.stream).map_err(Failure::outside_node)?;
        span("copy outputs", || destinations.fill(outputs, &scope))
    }

    /// Prepares calls with inputs of these sizes, strides, dtypes and numbers, so that the first
    /// such call is as fast as later ones.
    ///
    /// Libraries choose their algorithms, and on a CUDA device the kernels are captured if
    /// possible. cuDNN keeps part of this per thread, so warm up on the calling thread.
    ///
    /// Inputs are checked as [`Model::run`] does. Neither inputs nor state are modified. Programs
    /// that draw random numbers are rejected, because warm-up would advance the generator. Compiled
    /// models are rejected, because a package does not record if it draws any. Returns when all
    /// work is done.
    pub fn warm(&self, inputs: &[Option<Tensor>], options: &RunOptions) -> Result<()> {
        span("warm", || match &self.0 {
            Backend::Exported(model) => model.warm(inputs, options),
            Backend::Compiled(_) => Err(Error::Unsupported { what: WARM_COMPILED.into() }),
        })
    }

    /// Returns the weights of the model: parameters, buffers and constants.
    ///
    /// For compiled code, constants that the compiler built into the code are not included.
    pub fn parameters(&self) -> &[Parameter] {
        match &self.0 {
            Backend::Exported(model) => model.parameters(),
            Backend::Compiled(model) => model.parameters(),
        }
    }

    /// Returns the current value of a weight.
    ///
    /// Weights that the program writes to are copied in order with the calls, and so are all
    /// weights of compiled code. Other tensors share the model's memory, and the caller must not
    /// write to them.
    pub fn parameter(&self, name: &str) -> Result<Tensor> {
        match &self.0 {
            Backend::Exported(model) => model.parameter(name),
            Backend::Compiled(model) => model.parameter(name),
        }
    }

    /// Replaces weights atomically: each call runs entirely on the old or entirely on the new ones.
    ///
    /// An error changes nothing. Compiled code changes between two calls. The model shares a
    /// tensor's memory where it can, and copies it otherwise.
    pub fn swap_parameters(&self, given: &[Assignment]) -> Result<()> {
        match &self.0 {
            Backend::Exported(model) => model.swap_parameters(given),
            Backend::Compiled(model) => model.swap_parameters(given),
        }
    }

    /// Restores weights from the archive, atomically as a swap does. Without names, restores all
    /// weights that were swapped.
    pub fn reset_parameters(&self, names: Option<&[&str]>) -> Result<()> {
        match &self.0 {
            Backend::Exported(model) => model.reset_parameters(names),
            Backend::Compiled(model) => model.reset_parameters(names),
        }
    }

    /// Takes over the weights of another clone of the same model.
    ///
    /// The state is unchanged, as far as the archive records what belongs to it.
    pub fn share_parameters(&self, source: &Model) -> Result<()> {
        match (&self.0, &source.0) {
            (Backend::Exported(model), Backend::Exported(source)) => model.share_parameters(source),
            (Backend::Compiled(model), Backend::Compiled(source)) => model.share_parameters(source),
            _ => Err(not_a_clone()),
        }
    }

    /// Returns the form that runs: [`Form::Exported`] or [`Form::Compiled`].
    pub fn form(&self) -> Form {
        match &self.0 {
            Backend::Exported(_) => Form::Exported,
            Backend::Compiled(_) => Form::Compiled,
        }
    }

    /// Returns the number of concurrent calls of compiled code; None for a program, which has no
    /// limit.
    pub fn instances(&self) -> Option<usize> {
        match &self.0 {
            Backend::Exported(_) => None,
            Backend::Compiled(model) => Some(model.instances()),
        }
    }

    /// Returns counters of CUDA graphs. Clones without a state share them.
    pub fn statistics(&self) -> Statistics {
        match &self.0 {
            Backend::Exported(model) => model.statistics(),
            Backend::Compiled(_) => Statistics::default(),
        }
    }

    /// Returns the inputs and outputs of the model.
    pub fn interface(&self) -> &Interface {
        match &self.0 {
            Backend::Exported(model) => model.interface(),
            Backend::Compiled(model) => model.interface(),
        }
    }

    /// Returns the device that the model runs on.
    pub fn device(&self) -> Device {
        match &self.0 {
            Backend::Exported(model) => model.device(),
            Backend::Compiled(model) => model.device(),
        }
    }

    /// Returns the memory that the model writes to besides its outputs. Empty for a package without
    /// an exported program, which does not record it.
    pub fn effects(&self) -> &Effects {
        match &self.0 {
            Backend::Exported(model) => model.effects(),
            Backend::Compiled(model) => model.effects(),
        }
    }

    /// Returns the name of the model in the archive.
    pub fn name(&self) -> &str {
        match &self.0 {
            Backend::Exported(model) => model.name(),
            Backend::Compiled(model) => model.name(),
        }
    }

    /// Returns the PyTorch version that exported or compiled the model, as recorded in the archive;
    /// empty if it is not.
    pub fn torch_version(&self) -> &str {
        match &self.0 {
            Backend::Exported(model) => model.torch_version(),
            Backend::Compiled(model) => model.torch_version(),
        }
    }
}

/// Starts libtorch. Without a requested device, finding the archive's device needs libtorch too.
fn start(options: &LoadOptions) -> Option<Context> {
    torch::start_on(options.cuda, options.device.unwrap_or(Device::Cpu))
}

fn exported(
    archive: &Archive,
    forms: AvailableForms,
    parsed: Option<Program>,
    options: &LoadOptions,
) -> Result<Model> {
    ExportedModel::load(archive, forms.model, parsed, options).map(Backend::Exported).map(Model)
}

/// Form to load.
enum ChosenForm {
    Compiled(Box<ValidatedPackage>),
    /// The exported program, already parsed if its package was validated and does not fit.
    Exported(Option<Box<Program>>),
}

/// Returns true if the program may run in place of code that cannot.
fn falls_back(forms: &AvailableForms, options: &LoadOptions) -> bool {
    options.form == Form::Auto && forms.exported && options.native_code.digest.is_none()
}

/// Chooses the form to load.
///
/// The caller may request the compiled form. If the caller leaves the choice, the code must be
/// allowed, fit this machine and be for the requested device. An expected digest requires the
/// compiled form, because loading other code must not pass unnoticed.
fn choose_form(archive: &Archive, forms: &AvailableForms, options: &LoadOptions) -> Result<ChosenForm> {
    let native_code = &options.native_code;
    let validated = || {
        torch::process::ready()?;
        ValidatedPackage::of(archive, &forms.model, options.device).map(Box::new)
    };
    match forms.form(options.form)? {
        Form::Exported => Ok(ChosenForm::Exported(None)),
        Form::Compiled => {
            aoti::require_allowed(&forms.model, native_code)?;
            validated().map(ChosenForm::Compiled)
        }
        Form::Auto if native_code.digest.is_some() => {
            aoti::require_allowed(&forms.model, native_code)?;
            validated().map(ChosenForm::Compiled)
        }
        Form::Auto if !native_code.allowed => Ok(ChosenForm::Exported(None)),
        Form::Auto => match validated() {
            Ok(validated) if validated.is_runnable() => Ok(ChosenForm::Compiled(validated)),
            Ok(validated) => Ok(ChosenForm::Exported(validated.program.map(Box::new))),
            Err(Error::Unsupported { .. }) => Ok(ChosenForm::Exported(None)),
            Err(error) => Err(error),
        },
    }
}
