//! `Model`: one interface to an exported program and to code that AOTInductor compiled.

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
use crate::program::Interface;
use crate::timeline::span;
use crate::torch::{self, Context, Device, Failure, Scope, Tensor};
use crate::weights::not_a_clone;
use crate::weights::placement::Assignment;
use crate::{Error, Result};
use exported::ExportedModel;
use output_buffers::OutputBuffers;
use std::path::Path;

/// A model with its weights on a device. Any number of threads may run it at once; they share the weights.
///
/// What the program writes to (buffers, parameters, constants, and all that shares a storage with them) is the
/// model's state. Calls of a program that has one take turns, in the order in which they come, as
/// [`Model::effects`] tells; calls of compiled code wait where that has no place for them, in the same order.
/// [`Model::try_clone`] gives a model with a state of its own.
#[derive(Debug)]
pub struct Model(Backend);

const WARM_COMPILED: &str =
    "warming compiled code, of which nobody tells what it writes to and whether it draws random numbers";

#[derive(Debug)]
enum Backend {
    Exported(ExportedModel),
    Compiled(Box<CompiledModel>),
}

impl Model {
    /// Loads a model from a `.pt2` file.
    pub fn load(path: &Path, options: &LoadOptions) -> Result<Model> {
        span("load", || {
            let _context = span("start libtorch", || start(options));
            let archive = Archive::open(path, &options.read)?;
            Model::from_archive(&archive, options).map_err(|error| error.in_archive(path))
        })
    }

    /// Loads a model from the bytes of a `.pt2` file, which are copied.
    pub fn load_from_memory(bytes: &[u8], options: &LoadOptions) -> Result<Model> {
        let _context = start(options);
        Model::from_archive(&Archive::from_slice(bytes, &options.read)?, options)
    }

    /// Loads a model from an open archive, which may be closed afterwards.
    pub fn from_archive(archive: &Archive, options: &LoadOptions) -> Result<Model> {
        torch::process::ready()?;
        let _context = start(options);
        let forms = AvailableForms::choose(archive, options.model.as_deref())?;
        let code = match compiled_form(archive, &forms, options)? {
            Some(code) => aoti::load(archive, code, &options.native_code).map(Some),
            None => Ok(None),
        };
        Ok(Model(match code {
            Ok(Some(code)) => Backend::Compiled(Box::new(code)),
            // What code needs may be told by itself only, once it was loaded.
            Err(Error::Unsupported { .. }) if falls_back(&forms, options) => {
                exported(archive, forms, options)?
            }
            Ok(None) => exported(archive, forms, options)?,
            Err(error) => return Err(error),
        }))
    }

    /// The same model with a state of its own, which begins as this one is now: after the calls that came before,
    /// and before those that come later. Weights that a program does not write to are shared, so a clone of a
    /// program without a state costs nothing; compiled code has all its weights anew on a CUDA device, for nobody says
    /// what it writes to, and on the CPU those pages of them that it writes to. Waits for the device if there is
    /// anything to copy.
    pub fn try_clone(&self) -> Result<Model> {
        Ok(Model(match &self.0 {
            Backend::Exported(model) => Backend::Exported(model.try_clone()?),
            Backend::Compiled(model) => Backend::Compiled(Box::new(model.try_clone()?)),
        }))
    }

    /// Puts the state back to what the archive holds, in turn with the calls. Clones keep theirs. On CUDA the copies
    /// are queued on the stream, as a call is; those of compiled code are waited for.
    pub fn reset_state(&self, options: &RunOptions) -> Result<()> {
        match &self.0 {
            Backend::Exported(model) => model.reset_state(options),
            Backend::Compiled(model) => model.reset(),
        }
    }

    /// Runs the model. Inputs and outputs are flat, in the order of [`Model::interface`]; None stands for Python's
    /// None and for inputs that are constants of the program. Numbers come and go as 0-d tensors.
    ///
    /// Every input is checked before anything runs. On an error the model stays usable, and a program that writes to
    /// its state may have written part of it.
    pub fn run(&self, inputs: &[Option<Tensor>], options: &RunOptions) -> Result<Vec<Option<Tensor>>> {
        span("run", || match &self.0 {
            Backend::Exported(model) => model.run(inputs, options),
            Backend::Compiled(model) => model.run(inputs, options.stream),
        })
    }

    /// Runs the model and writes each output to a tensor of the caller's; None for one that nobody wants. They have
    /// the outputs' dtypes and sizes, any strides, and lie where the outputs do or on the CPU. They may share memory
    /// with inputs, but not with each other or with weights, and no two elements of one may lie at one address.
    ///
    /// What a program tells of its outputs is checked before anything runs, the rest before anything is written.
    pub fn run_into(
        &self,
        inputs: &[Option<Tensor>],
        destinations: &[Option<Tensor>],
        options: &RunOptions,
    ) -> Result<()> {
        let destinations = OutputBuffers::accept(self.interface(), destinations)?;
        let outputs = self.run(inputs, options)?;
        let scope = Scope::enter(self.device(), options.stream).map_err(Failure::outside_node)?;
        span("copy outputs", || destinations.fill(outputs, &scope))
    }

    /// Prepares calls with inputs of these sizes, strides, dtypes and numbers, so that the first of them costs no more
    /// than later ones: libraries choose and keep their algorithms, and on a CUDA device the kernels are recorded,
    /// if they can be. cuDNN keeps part of it for each thread, so let the thread warm that will call.
    ///
    /// Inputs are checked as those of [`Model::run`] are, and are not written to; neither is the model's state. A
    /// program that draws random numbers is refused, for its runs would move them on, and so is compiled code, of
    /// which nobody tells whether it does. Returns when all is done.
    pub fn warm(&self, inputs: &[Option<Tensor>], options: &RunOptions) -> Result<()> {
        span("warm", || match &self.0 {
            Backend::Exported(model) => model.warm(inputs, options),
            Backend::Compiled(_) => Err(Error::Unsupported { what: WARM_COMPILED.into() }),
        })
    }

    /// The weights that the model takes: parameters, buffers and constants. What a compiler built into its code is
    /// not among those of compiled code.
    pub fn parameters(&self) -> &[Parameter] {
        match &self.0 {
            Backend::Exported(model) => model.parameters(),
            Backend::Compiled(model) => model.parameters(),
        }
    }

    /// A weight as it is now. What the program writes to is copied, in turn with the calls, and so is every weight of
    /// compiled code; everything else shares the model's memory and must not be written to.
    pub fn parameter(&self, name: &str) -> Result<Tensor> {
        match &self.0 {
            Backend::Exported(model) => model.parameter(name),
            Backend::Compiled(model) => model.parameter(name),
        }
    }

    /// Gives the model other weights, all at once: a call runs on the old ones or on the new ones, and never on some
    /// of each. On an error nothing changes. Compiled code copies what it is given, between two calls; a program
    /// shares the memory where it can.
    pub fn swap_parameters(&self, given: &[Assignment]) -> Result<()> {
        match &self.0 {
            Backend::Exported(model) => model.swap_parameters(given),
            Backend::Compiled(model) => model.swap_parameters(given),
        }
    }

    /// Puts back what the archive holds, in the same way: these weights, or those that were given if there are no
    /// names.
    pub fn reset_parameters(&self, names: Option<&[&str]>) -> Result<()> {
        match &self.0 {
            Backend::Exported(model) => model.reset_parameters(names),
            Backend::Compiled(model) => model.reset_parameters(names),
        }
    }

    /// Takes the weights of a clone, or of what this is a clone of. The state stays as it is, as far as anybody tells
    /// what belongs to it.
    pub fn share_parameters(&self, source: &Model) -> Result<()> {
        match (&self.0, &source.0) {
            (Backend::Exported(model), Backend::Exported(source)) => model.share_parameters(source),
            (Backend::Compiled(model), Backend::Compiled(source)) => model.share_parameters(source),
            _ => Err(not_a_clone()),
        }
    }

    /// In which form it runs: [`Form::ExportedModel`] or [`Form::CompiledModel`].
    pub fn form(&self) -> Form {
        match &self.0 {
            Backend::Exported(_) => Form::Exported,
            Backend::Compiled(_) => Form::Compiled,
        }
    }

    /// How many calls may be inside of compiled code at once; None for a program, where any number may be.
    pub fn instances(&self) -> Option<usize> {
        match &self.0 {
            Backend::Exported(_) => None,
            Backend::Compiled(model) => Some(model.instances()),
        }
    }

    /// How its runs were launched so far. Clones without a state count together.
    pub fn statistics(&self) -> Statistics {
        match &self.0 {
            Backend::Exported(model) => model.statistics(),
            Backend::Compiled(_) => Statistics::default(),
        }
    }

    /// What the model takes and gives.
    pub fn interface(&self) -> &Interface {
        match &self.0 {
            Backend::Exported(model) => model.interface(),
            Backend::Compiled(model) => model.interface(),
        }
    }

    /// Where it runs.
    pub fn device(&self) -> Device {
        match &self.0 {
            Backend::Exported(model) => model.device(),
            Backend::Compiled(model) => model.device(),
        }
    }

    /// What it writes to besides its outputs. Of compiled code that has no program beside it nobody knows.
    pub fn effects(&self) -> &Effects {
        match &self.0 {
            Backend::Exported(model) => model.effects(),
            Backend::Compiled(model) => model.effects(),
        }
    }

    /// Its name in the archive.
    pub fn name(&self) -> &str {
        match &self.0 {
            Backend::Exported(model) => model.name(),
            Backend::Compiled(model) => model.name(),
        }
    }

    /// The PyTorch version that exported or compiled it, as the archive says; empty where it does not.
    pub fn torch_version(&self) -> &str {
        match &self.0 {
            Backend::Exported(model) => model.torch_version(),
            Backend::Compiled(model) => model.torch_version(),
        }
    }
}

/// Where the device is only told by the archive, libtorch is needed to find out what that holds.
fn start(options: &LoadOptions) -> Option<Context> {
    torch::start_on(options.cuda, options.device.unwrap_or(Device::Cpu))
}

fn exported(archive: &Archive, forms: AvailableForms, options: &LoadOptions) -> Result<Backend> {
    ExportedModel::load(archive, forms.model, options).map(Backend::Exported)
}

/// Whether the program may run in place of code that cannot.
fn falls_back(forms: &AvailableForms, options: &LoadOptions) -> bool {
    options.form == Form::Auto && forms.exported && options.native_code.digest.is_none()
}

/// The compiled form if that is to be loaded: the caller asks for it, or leaves the choice and it is allowed, fits this
/// machine and is for the device that was asked for. An expected digest asks for it: that another one is there must
/// not pass in silence.
fn compiled_form(
    archive: &Archive,
    forms: &AvailableForms,
    options: &LoadOptions,
) -> Result<Option<ValidatedPackage>> {
    let native_code = &options.native_code;
    let validated = || ValidatedPackage::of(archive, &forms.model, options.device);
    match forms.form(options.form)? {
        Form::Exported => Ok(None),
        Form::Compiled => {
            aoti::require_allowed(&forms.model, native_code)?;
            validated().map(Some)
        }
        Form::Auto if native_code.digest.is_some() => {
            aoti::require_allowed(&forms.model, native_code)?;
            validated().map(Some)
        }
        Form::Auto if !native_code.allowed => Ok(None),
        Form::Auto => match validated() {
            Ok(validated) if validated.is_runnable() => Ok(Some(validated)),
            Ok(_) | Err(Error::Unsupported { .. }) => Ok(None),
            Err(error) => Err(error),
        },
    }
}
