//! Loads native code of a validated package, in memory that no process can change.

use super::package::{file_name, verified};
use super::{CompiledModel, Digest, ExecStack, NativeCodeOptions, Package, ValidatedPackage, digest_of};
use crate::archive::Archive;
use crate::timeline::span;
use crate::torch::aoti::{KernelFolder, MemoryFile, NativeLibrary};
use crate::{Error, Result};
use sha2::{Digest as _, Sha256};
use std::io;
use std::sync::Arc;

/// Fails if the caller did not allow native code. Reads none of the code.
pub fn require_allowed(model: &str, native_code: &NativeCodeOptions) -> Result<()> {
    if native_code.allowed {
        return Ok(());
    }
    let reason = "it is native code, which runs with all the rights of this process as soon as it is loaded; \
                  allow native code for this load if you trust the archive";
    Err(refused(model, reason.into()))
}

/// Loads compiled code.
///
/// None of it runs unless the caller allows it, it fits this machine, and it has the expected
/// digest.
pub fn load(
    archive: &Archive,
    validated: ValidatedPackage,
    native_code: &NativeCodeOptions,
) -> Result<CompiledModel> {
    require_allowed(&validated.package.model, native_code)?;
    validated.require_fit()?;
    let (library, kernels) = map(archive, &validated, native_code)?;
    CompiledModel::start(validated, library, kernels, native_code)
}

/// Copies the library and kernels to memory files, compares these with the expected digest, and
/// seals them.
fn map(
    archive: &Archive,
    validated: &ValidatedPackage,
    native_code: &NativeCodeOptions,
) -> Result<(Arc<NativeLibrary>, Option<KernelFolder>)> {
    let model = &validated.package.model;
    let failed = |error: io::Error| refused(model, format!("no memory file can be made for it: {error}"));
    let mut file = span("copy the code", || MemoryFile::of(validated.library.bytes())).map_err(failed)?;
    let mut kernels = Vec::new();
    for name in &validated.package.kernels {
        let file = MemoryFile::of(verified(archive, name)?.bytes()).map_err(failed)?;
        file.seal().map_err(failed)?;
        kernels.push((file_name(name).to_owned(), file));
    }
    if let Some(expected) = native_code.digest {
        let found = digest(&validated.package, &mut file, &mut kernels).map_err(failed)?;
        if found != expected {
            let reason = format!("the SHA-256 of its code is {found}, {expected} was expected");
            return Err(refused(model, reason));
        }
    }
    own_libtorch(validated, &file).map_err(failed)?;
    plain_stacks(validated, &file).map_err(failed)?;
    file.seal().map_err(failed)?;
    let folder = folder(kernels, native_code).map_err(failed)?;
    let library =
        span("load the code", || NativeLibrary::open(file, validated.requirements.constants.clone()))
            .map_err(|reason| refused(model, reason))?;
    Ok((library, folder))
}

/// Returns the digest of the memory files.
fn digest(
    package: &Package,
    library: &mut MemoryFile,
    kernels: &mut [(String, MemoryFile)],
) -> io::Result<Digest> {
    let of = |file: &mut MemoryFile| -> io::Result<Digest> {
        let mut hasher = Sha256::new();
        file.each_part(|part| hasher.update(part))?;
        Ok(Digest(hasher.finalize().into()))
    };
    let library = of(library)?;
    let kernels = kernels.iter_mut().map(|(name, file)| Ok((name.clone(), of(file)?)));
    let kernels = kernels.collect::<io::Result<Vec<_>>>()?;
    Ok(digest_of((file_name(&package.library), library), &kernels))
}

/// Replaces the dependency on `libtorch.so` by `libtorch_cpu.so`, which is already loaded.
///
/// `libtorch.so` only refers to libtorch's other libraries. Loading it would load the CUDA one,
/// even into a process that opted out.
fn own_libtorch(validated: &ValidatedPackage, file: &MemoryFile) -> io::Result<()> {
    let edit = validated.requirements.rename(validated.library.bytes(), "libtorch.so", "libtorch_cpu.so");
    match edit {
        Some((offset, bytes)) => file.write_at(offset as u64, &bytes),
        None => Ok(()),
    }
}

/// Clears the request to make all stacks of the process executable.
fn plain_stacks(validated: &ValidatedPackage, file: &MemoryFile) -> io::Result<()> {
    match &validated.requirements.stack {
        ExecStack::Edits(edits) => {
            edits.iter().try_for_each(|(offset, bytes)| file.write_at(*offset as u64, bytes))
        }
        ExecStack::Plain | ExecStack::Silent => Ok(()),
    }
}

fn folder(
    kernels: Vec<(String, MemoryFile)>,
    native_code: &NativeCodeOptions,
) -> io::Result<Option<KernelFolder>> {
    if kernels.is_empty() {
        return Ok(None);
    }
    let parent = native_code.folder.clone().unwrap_or_else(std::env::temp_dir);
    KernelFolder::of(&parent, kernels).map(Some)
}

fn refused(model: &str, reason: String) -> Error {
    Error::NativeCode { model: model.into(), reason }
}
