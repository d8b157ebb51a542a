//! Validates a package against this machine and itself, before any of it is mapped for execution.

use super::completeness::{require_kernels, require_weights};
use super::effects::effects_of;
use super::elf::INTERFACE;
use super::package::{file_name, verified};
use super::target_machine::other_torch;
use super::{
    Digest, ExecStack, Machine, Package, PackageInterface, Requirements, WrapperSource, digest_of,
    other_release,
};
use crate::archive::{Archive, Slice};
use crate::plan::Effects;
use crate::program::Program;
use crate::timeline::span;
use crate::torch::aoti::libtorch_has;
use crate::torch::{self, Device};
use crate::{Error, Result};

/// Package that was compared with this machine.
#[derive(Debug)]
pub struct ValidatedPackage {
    /// Entries of the package.
    pub package: Package,
    /// All differences between this machine and the target of the compiler.
    pub differences: Vec<String>,
    /// Device to run on.
    pub device: Device,
    /// Inputs and outputs; None without a wrapper source that declares them.
    pub described: Option<PackageInterface>,
    /// PyTorch version of the exported program beside the package, else the one in the metadata.
    pub torch_version: Option<String>,
    /// Memory that the code writes to; None if no program records it.
    pub effects: Option<Effects>,
    /// Exported program beside the package.
    pub program: Option<Program>,
    source: WrapperSource,
    pub(super) requirements: Requirements,
    pub(super) library: Slice,
}

impl ValidatedPackage {
    /// Reads a package and compares it with this machine, without running any of it.
    ///
    /// `device` is the device that the caller asks for.
    pub fn of(archive: &Archive, model: &str, device: Option<Device>) -> Result<ValidatedPackage> {
        let package = Package::read(archive, model)?;
        let device = device.unwrap_or(if package.device() == "cuda" { Device::Cuda(0) } else { Device::Cpu });
        let library = span("checksum of the code", || verified(archive, &package.library))?;
        let requirements = Requirements::of(&package.library, library.bytes())?;
        let program = if archive.has_model(model) {
            Some(span("parse", || Program::parse(archive.program(model)?.bytes()))?)
        } else {
            None
        };
        let here = machine(device);
        let mut differences = package.differences(&here);
        differences.extend(requirements.other_processor());
        let exported_by = program.as_ref().map(|program| program.torch_version.clone());
        differences.extend(exported_by.as_deref().and_then(|made| other_torch(plain(made), &here)));
        let recorded = package.targets.iter().find_map(|target| target.torch_version.clone());
        if exported_by.is_none() && recorded.is_none() {
            differences.extend(other_release(&requirements.offers, &here));
        }
        differences.extend(missing_functions(&requirements));
        let source = span("source", || source(archive, &package))?;
        require_kernels(&package, &source)?;
        for name in package.kernel_libraries() {
            let kernel = Requirements::of(name, verified(archive, name)?.bytes())?;
            require_plain_stack(&kernel)?;
            differences.extend(kernel.other_processor());
            differences.extend(missing_functions(&kernel));
        }
        require_weights(source.weights_outside, &[])?;
        // Without a source, the loaded code declares the interface.
        let declared = !source.in_spec.is_empty();
        let described = declared
            .then(|| span("describe", || PackageInterface::of(&source, program.as_ref())))
            .transpose()?;
        let torch_version = exported_by.or(recorded);
        Ok(ValidatedPackage {
            package,
            differences,
            device,
            described,
            torch_version,
            effects: program.as_ref().and_then(|program| span("effects", || effects_of(program))),
            source,
            program,
            requirements,
            library,
        })
    }

    /// Returns true if the package is for the type of the requested device.
    pub fn fits_device(&self) -> bool {
        (self.package.device() == "cuda") == matches!(self.device, Device::Cuda(_))
    }

    /// Returns true if the package may run here, as far as is known without running any of it.
    pub fn is_runnable(&self) -> bool {
        self.require_fit().is_ok()
    }

    /// Returns the digest of all native code in the package.
    pub fn digest(&self, archive: &Archive) -> Result<Digest> {
        let mut kernels = Vec::new();
        for name in &self.package.kernels {
            kernels.push((file_name(name).to_owned(), Digest::of(verified(archive, name)?.bytes())));
        }
        Ok(digest_of((file_name(&self.package.library), Digest::of(self.library.bytes())), &kernels))
    }

    pub(super) fn require_fit(&self) -> Result<()> {
        if !self.fits_device() {
            let reason = format!("the archive holds code for {} only", self.package.device());
            return Err(Error::Device { device: self.device.to_string(), reason });
        }
        if !self.differences.is_empty() {
            return Err(self.package.other_machine(self.differences.clone()));
        }
        if self.requirements.stack == ExecStack::Silent {
            let what = "compiled code whose library does not say whether it executes its stack, which would make all \
                        stacks of the process executable; link it with `-z noexecstack`";
            return Err(Error::Unsupported { what: what.into() });
        }
        match self.requirements.lacks(&INTERFACE).as_slice() {
            [] => self.device.require(),
            missing => Err(Error::Unsupported {
                what: format!("compiled code whose library does not offer {}", missing.join(", ")),
            }),
        }
    }

    /// Returns the interface declared by the package's source and the loaded code, which must be
    /// equal.
    pub(super) fn settle(&mut self, declared: WrapperSource) -> Result<PackageInterface> {
        let names = |source: &WrapperSource| -> Vec<String> {
            source.inputs.iter().map(|input| input.name.clone()).collect()
        };
        if self.source.in_spec.is_empty() {
            self.source = declared;
        } else if names(&self.source) != names(&declared)
            || (&self.source.in_spec, &self.source.out_spec) != (&declared.in_spec, &declared.out_spec)
            || self.source.outputs != declared.outputs
        {
            let reason = format!("the source beside `{}` is not that of the library", self.package.library);
            return Err(Error::Archive { entry: self.package.source.clone(), reason });
        }
        match self.described.take() {
            Some(described) => Ok(described),
            None => PackageInterface::of(&self.source, self.program.as_ref()),
        }
    }
}

/// Fails if a library of kernels asks for an executable stack, or does not say whether it does.
fn require_plain_stack(kernel: &Requirements) -> Result<()> {
    if kernel.stack == ExecStack::Plain {
        return Ok(());
    }
    let what =
        "compiled code with a library of kernels that may execute its stack; link it with `-z noexecstack`";
    Err(Error::Unsupported { what: what.into() })
}

fn machine(device: Device) -> Machine {
    let compute_capability = match device {
        Device::Cpu => None,
        Device::Cuda(index) => torch::compute_capability(index),
    };
    Machine { compute_capability, torch_version: Some(torch::libtorch_version().into()), ..Machine::here() }
}

/// Returns a version without its build suffix, such as `+cu130`.
fn plain(version: &str) -> &str {
    version.split('+').next().unwrap_or(version)
}

/// Largest number of functions that a message lists.
const MOST_SHOWN: usize = 16;

/// Returns a message about functions that the code calls and this libtorch lacks.
///
/// PyTorch does not record its version in a package. Missing functions reveal another version.
fn missing_functions(requirements: &Requirements) -> Option<String> {
    let missing: Vec<&str> =
        requirements.calls.iter().map(String::as_str).filter(|name| !libtorch_has(name)).collect();
    let here = torch::libtorch_version();
    let shown = missing.get(..MOST_SHOWN).unwrap_or(&missing).join(", ");
    let more = missing.len().saturating_sub(MOST_SHOWN);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    (!missing.is_empty()).then(|| format!("its PyTorch has {shown}{more}, here it is {here} without them"))
}

fn source(archive: &Archive, package: &Package) -> Result<WrapperSource> {
    let Some(name) = &package.source else { return Ok(WrapperSource::default()) };
    Ok(WrapperSource::parse(&String::from_utf8_lossy(verified(archive, name)?.bytes())))
}
