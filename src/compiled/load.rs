//! From an archive to native code that may be called: everything is compared before anything is mapped for execution.

use super::effects::effects_of;
use super::package::{file_name, verified};
use super::target::other_torch;
use super::{Compiled, Described, Digest, Machine, Package, Permission, Requirements, Source, digest_of};
use crate::archive::{Archive, Slice};
use crate::plan::Effects;
use crate::program::Program;
use crate::torch::native::{KernelFolder, MemoryFile, NativeLibrary, libtorch_has};
use crate::torch::{self, Device};
use crate::{Error, Result};
use sha2::{Digest as _, Sha256};
use std::io;
use std::sync::Arc;

/// The functions of a library that this room calls (`aoti_runtime/interface.h` 2.11).
const INTERFACE: [&str; 13] = [
    "AOTInductorModelContainerCreateWithDevice",
    "AOTInductorModelContainerDelete",
    "AOTInductorModelContainerExtractConstantsMap",
    "AOTInductorModelContainerGetCallSpec",
    "AOTInductorModelContainerGetConstantFromFolded",
    "AOTInductorModelContainerGetConstantOriginalFQN",
    "AOTInductorModelContainerGetConstantType",
    "AOTInductorModelContainerGetInputName",
    "AOTInductorModelContainerGetNumConstants",
    "AOTInductorModelContainerGetNumInputs",
    "AOTInductorModelContainerGetNumOutputs",
    "AOTInductorModelContainerRun",
    "AOTInductorModelContainerRunConstantFolding",
];

/// A package that was compared with this machine.
#[derive(Debug)]
pub struct Examined {
    /// Which entry is what.
    pub package: Package,
    /// All in which this machine is another than the one it was made for.
    pub differences: Vec<String>,
    /// Where it runs.
    pub device: Device,
    /// What it takes and gives; None where no source tells.
    pub described: Option<Described>,
    /// The PyTorch of the exported program beside it, or the one that the metadata record.
    pub torch_version: Option<String>,
    /// What it writes to; None where nobody tells.
    pub effects: Option<Effects>,
    source: Source,
    program: Option<Program>,
    requirements: Requirements,
    library: Slice,
}

impl Examined {
    /// Reads a package and compares it, without executing any of it. `device` is where the caller wants it to run.
    pub fn of(archive: &Archive, model: &str, device: Option<Device>) -> Result<Examined> {
        let package = Package::read(archive, model)?;
        let device = device.unwrap_or(if package.device() == "cuda" { Device::Cuda(0) } else { Device::Cpu });
        let library = verified(archive, &package.library)?;
        let requirements = Requirements::of(&package.library, library.bytes())?;
        let program = match archive.models().iter().any(|name| name == model) {
            true => Some(Program::parse(archive.program(model)?.bytes())?),
            false => None,
        };
        let here = machine(device);
        let mut differences = package.differences(&here);
        differences.extend(requirements.other_processor());
        let exported_by = program.as_ref().map(|program| program.torch_version.clone());
        differences.extend(exported_by.as_deref().and_then(|made| other_torch(plain(made), &here)));
        differences.extend(missing_functions(&requirements));
        let recorded = package.targets.iter().find_map(|target| target.torch_version.clone());
        let source = source(archive, &package)?;
        require_kernels(&package, &source)?;
        require_weights(source.weights_outside, &[])?;
        // Without a source the code itself tells, once it is loaded.
        let told = !source.in_spec.is_empty();
        let described = told.then(|| Described::of(&source, program.as_ref())).transpose()?;
        let torch_version = exported_by.or(recorded);
        Ok(Examined {
            package,
            differences,
            device,
            described,
            torch_version,
            effects: program.as_ref().and_then(effects_of),
            source,
            program,
            requirements,
            library,
        })
    }

    /// Whether the package is for the kind of device on which it is to run.
    pub fn fits_device(&self) -> bool {
        (self.package.device() == "cuda") == matches!(self.device, Device::Cuda(_))
    }

    /// Whether it may run here, as far as can be told without executing it.
    pub fn is_runnable(&self) -> bool {
        self.require_fit().is_ok()
    }

    /// The digest of all native code in it.
    pub fn digest(&self, archive: &Archive) -> Result<Digest> {
        let mut kernels = Vec::new();
        for name in &self.package.kernels {
            kernels.push((file_name(name).to_owned(), Digest::of(verified(archive, name)?.bytes())));
        }
        Ok(digest_of((file_name(&self.package.library), Digest::of(self.library.bytes())), &kernels))
    }

    fn require_fit(&self) -> Result<()> {
        if !self.fits_device() {
            let reason = format!("the archive holds code for {} only", self.package.device());
            return Err(Error::Device { device: self.device.to_string(), reason });
        }
        if !self.differences.is_empty() {
            return Err(self.package.other_machine(self.differences.clone()));
        }
        match self.requirements.lacks(&INTERFACE).as_slice() {
            [] => self.device.require(),
            missing => Err(Error::Unsupported {
                what: format!("compiled code whose library does not offer {}", missing.join(", ")),
            }),
        }
    }
}

/// Loads compiled code. None of it is executed unless the caller allows it, it fits, and it is what was expected.
pub fn load(archive: &Archive, examined: Examined, permission: &Permission) -> Result<Compiled> {
    examined.require_fit()?;
    if !permission.allowed {
        let reason = "it is native code, which runs with all the rights of this process as soon as it is loaded; \
                      allow native code for this load if you trust the archive";
        return Err(refused(&examined.package.model, reason.into()));
    }
    let (library, kernels) = map(archive, &examined, permission)?;
    Compiled::start(examined, library, kernels, permission)
}

impl Examined {
    /// What the package or the code itself tells, which have to be the same.
    pub(super) fn settle(&mut self, told: Source) -> Result<Described> {
        let names = |source: &Source| -> Vec<String> {
            source.inputs.iter().map(|input| input.name.clone()).collect()
        };
        if self.source.in_spec.is_empty() {
            self.source = told;
        } else if names(&self.source) != names(&told)
            || (&self.source.in_spec, &self.source.out_spec) != (&told.in_spec, &told.out_spec)
            || self.source.outputs != told.outputs
        {
            let reason = format!("the source beside `{}` is not that of the library", self.package.library);
            return Err(Error::Archive { entry: self.package.source.clone(), reason });
        }
        match self.described.take() {
            Some(described) => Ok(described),
            None => Described::of(&self.source, self.program.as_ref()),
        }
    }
}

/// The library and the kernels in memory that nobody can change, compared with the expected digest there.
fn map(
    archive: &Archive,
    examined: &Examined,
    permission: &Permission,
) -> Result<(Arc<NativeLibrary>, Option<KernelFolder>)> {
    let model = &examined.package.model;
    let failed = |error: io::Error| refused(model, format!("no memory file can be made for it: {error}"));
    let (mut file, library) = held(examined.library.bytes()).map_err(failed)?;
    let mut kernels = Vec::new();
    let mut digests = Vec::new();
    for name in &examined.package.kernels {
        let (file, digest) = held(verified(archive, name)?.bytes()).map_err(failed)?;
        file.seal().map_err(failed)?;
        digests.push((file_name(name).to_owned(), digest));
        kernels.push((file_name(name).to_owned(), file));
    }
    let found = digest_of((file_name(&examined.package.library), library), &digests);
    if let Some(expected) = permission.digest.filter(|expected| *expected != found) {
        return Err(refused(model, format!("the SHA-256 of its code is {found}, {expected} was expected")));
    }
    own_libtorch(examined, &mut file).map_err(failed)?;
    file.seal().map_err(failed)?;
    let folder = folder(kernels, permission).map_err(failed)?;
    let library = NativeLibrary::open(file, library.0).map_err(|reason| refused(model, reason))?;
    Ok((library, folder))
}

/// Bytes in a memory file, and the digest of what is there.
fn held(bytes: &[u8]) -> io::Result<(MemoryFile, Digest)> {
    let mut file = MemoryFile::of(bytes)?;
    let mut hasher = Sha256::new();
    file.each_part(|part| hasher.update(part))?;
    Ok((file, Digest(hasher.finalize().into())))
}

/// `libtorch.so` holds nothing but the names of libtorch's parts, among them that of its CUDA library: to load it is
/// to bring CUDA into a process that has decided otherwise. The part that the code calls is there already.
fn own_libtorch(examined: &Examined, file: &mut MemoryFile) -> io::Result<()> {
    let edit = examined.requirements.rename(examined.library.bytes(), "libtorch.so", "libtorch_cpu.so");
    match edit {
        Some((offset, bytes)) => file.write_at(offset as u64, &bytes),
        None => Ok(()),
    }
}

fn folder(kernels: Vec<(String, MemoryFile)>, permission: &Permission) -> io::Result<Option<KernelFolder>> {
    if kernels.is_empty() {
        return Ok(None);
    }
    let parent = permission.folder.clone().unwrap_or_else(std::env::temp_dir);
    KernelFolder::of(&parent, kernels).map(Some)
}

fn machine(device: Device) -> Machine {
    let compute_capability = match device {
        Device::Cpu => None,
        Device::Cuda(index) => torch::compute_capability(index),
    };
    Machine { compute_capability, torch_version: Some(torch::libtorch_version().into()), ..Machine::here() }
}

/// A version without what the build adds, such as `+cu130`.
fn plain(version: &str) -> &str {
    version.split('+').next().unwrap_or(version)
}

/// PyTorch 2.11 does not record its version in a package: what tells another one is which of its functions are called.
fn missing_functions(requirements: &Requirements) -> Option<String> {
    let missing: Vec<&str> =
        requirements.calls.iter().map(String::as_str).filter(|name| !libtorch_has(name)).collect();
    let here = torch::libtorch_version();
    (!missing.is_empty())
        .then(|| format!("its PyTorch has {}, here it is {here} without them", missing.join(", ")))
}

fn source(archive: &Archive, package: &Package) -> Result<Source> {
    let Some(name) = &package.source else { return Ok(Source::default()) };
    Ok(Source::parse(&String::from_utf8_lossy(verified(archive, name)?.bytes())))
}

/// Kernels are looked for when they are first launched, which is too late to find that one is missing.
fn require_kernels(package: &Package, source: &Source) -> Result<()> {
    let there = |name: &&String| package.kernels.iter().any(|kernel| file_name(kernel) == name.as_str());
    let missing: Vec<&str> = source.kernels.iter().filter(|name| !there(name)).map(String::as_str).collect();
    match missing.is_empty() {
        true => Ok(()),
        false => Err(Error::Archive {
            entry: None,
            reason: format!(
                "kernels of the compiled code of `{}` are missing: {}",
                package.model,
                missing.join(", ")
            ),
        }),
    }
}

/// `missing` are the weights that are known by name. Upstream's loader runs such code on whatever it was given since.
pub(super) fn require_weights(outside: bool, missing: &[String]) -> Result<()> {
    if !outside && missing.is_empty() {
        return Ok(());
    }
    let which = if missing.is_empty() { String::new() } else { format!(": {}", missing.join(", ")) };
    let what = format!(
        "compiled code that needs weights outside of the library (package_constants_in_so=False){which}"
    );
    Err(Error::Unsupported { what })
}

fn refused(model: &str, reason: String) -> Error {
    Error::NativeCode { model: model.into(), reason }
}
