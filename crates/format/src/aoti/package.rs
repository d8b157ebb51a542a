//! Compiled code of one model in an archive.

use super::{Machine, TargetMachine};
use crate::archive::{Archive, Slice};
use crate::{Error, Result};
use std::collections::HashSet;

const METADATA: &str = "_metadata.json";
const CUSTOM_OBJECTS: &str = "custom_objs_config.json";
const WEIGHTS: &str = "weights_config.json";
/// Weights in one file beside the library (`package_constants_on_disk_format` in
/// `torch/_inductor/config.py` 2.11).
const BLOB: &str = "_weights.blob";
/// Compiler options for packages that hold only sources (`aot_inductor.package_cpp_only`).
const COMPILER: [&str; 2] = ["_compile_flags.json", "_linker_flags.json"];
/// File endings of separate kernels (`get_kernel_bin_format` in `torch/_inductor/codecache.py`
/// 2.11).
const KERNELS: [&str; 2] = [".cubin", ".fatbin"];

/// Roles of the entries of one model's compiled code. The code itself has not been read.
#[derive(Clone, Debug)]
pub struct Package {
    /// The model's name in the archive.
    pub model: String,
    /// The entry of the shared library.
    pub library: String,
    /// The entry of the wrapper source, which declares the inputs of calls.
    pub source: Option<String>,
    /// The entries of kernels in files of their own: GPU kernels, and shared libraries of Triton
    /// kernels for the CPU.
    pub kernels: Vec<String>,
    /// The target machines declared in its metadata. All of them must fit.
    pub targets: Vec<TargetMachine>,
}

impl Package {
    /// Reads the declarations of a model's compiled code.
    ///
    /// A package must hold one shared library. Since PyTorch 2.13 there may be more: Triton kernels
    /// for the CPU and their launchers (`CpuTritonKernelCache` in `torch/_inductor/codecache.py`
    /// 2.13). The library is then the one that ends in `.wrapper.so`.
    ///
    /// For a package that holds only sources, PyTorch's own loader would run the compiler command
    /// that the package names (`AOTIModelPackageLoader` in `model_package_loader.cpp` 2.11).
    pub fn read(archive: &Archive, model: &str) -> Result<Package> {
        let names = entries(archive, model)?;
        require_runnable(&names)?;
        let ending = |ends: &[&str]| -> Vec<String> {
            names.iter().filter(|name| ends.iter().any(|end| name.ends_with(end))).cloned().collect()
        };
        let targets =
            ending(&[METADATA]).iter().map(|name| target(archive, name)).collect::<Result<Vec<_>>>()?;
        let libraries = ending(&[".so"]);
        if libraries.is_empty() {
            return Err(broken(model, "no shared library, and sources are never compiled here"));
        }
        if targets.is_empty() {
            return Err(broken(model, "nothing that says for which machine it was made"));
        }
        let wrapper = only(ending(&[".wrapper.so"]));
        let library = only(libraries.clone()).or(wrapper).ok_or_else(|| several_libraries(model))?;
        let others = libraries.into_iter().filter(|name| *name != library);
        let kernels: Vec<String> = ending(&KERNELS).into_iter().chain(others).collect();
        require_distinct(model, &kernels)?;
        let source = only(ending(&[".wrapper.cpp"]));
        Ok(Package { model: model.into(), library, source, kernels, targets })
    }

    /// Returns the kernels that are shared libraries.
    pub fn kernel_libraries(&self) -> impl Iterator<Item = &String> {
        self.kernels.iter().filter(|name| name.ends_with(".so"))
    }

    /// Returns the device type that it was compiled for: `cpu` or `cuda`.
    pub fn device(&self) -> &str {
        self.targets.first().map_or("", |target| target.device.as_str())
    }

    /// Returns the differences between this machine and the target machines, without duplicates.
    pub fn differences(&self, here: &Machine) -> Vec<String> {
        let all = self.targets.iter().flat_map(|target| target.differences(here));
        let mut seen = HashSet::new();
        all.filter(|difference| seen.insert(difference.clone())).collect()
    }

    /// Returns the error for a machine that differs from the target machines.
    pub fn other_machine(&self, differences: Vec<String>) -> Error {
        Error::OtherMachine { model: self.model.clone(), differences }
    }
}

/// Returns the bytes of an entry of the package, verified if the archive was opened with `verify`.
pub fn verified(archive: &Archive, name: &str) -> Result<Slice> {
    let slice = archive.entry(name)?;
    if archive.verifies() {
        slice.verify_in_threads()?;
    }
    Ok(slice)
}

/// Returns the last component of an entry's name.
pub fn file_name(entry: &str) -> &str {
    entry.rsplit('/').next().unwrap_or(entry)
}

/// Returns the entries of a model's compiled code.
fn entries(archive: &Archive, model: &str) -> Result<Vec<String>> {
    let names: Vec<String> = archive.compiled_entries(model).map(str::to_owned).collect();
    if names.is_empty() {
        let reason =
            format!("no compiled code for `{model}`; there is for {}", archive.compiled().join(", "));
        return Err(Error::Argument { argument: "model", reason });
    }
    Ok(names)
}

/// Rejects packages that need more than their library.
///
/// A package may ask its loader to call operators (`serialized_extern_kernel_nodes`) or to compile
/// sources. It may also need objects of custom classes, or weights outside of the library.
fn require_runnable(names: &[String]) -> Result<()> {
    let mut lacks = Vec::new();
    let asks = |name: &&String| name.ends_with(".json") && !name.ends_with(METADATA) || name.ends_with(BLOB);
    for name in names.iter().filter(asks) {
        lacks.push(match file_name(name) {
            CUSTOM_OBJECTS => format!("objects of custom classes (`{name}`)"),
            WEIGHTS => format!("weights outside of the library (`{name}`)"),
            other if other.ends_with(BLOB) => format!("weights outside of the library (`{name}`)"),
            other if COMPILER.iter().any(|end| other.ends_with(end)) => format!("a compiler (`{name}`)"),
            _ => format!("operators that its loader has to call (`{name}`)"),
        });
    }
    if lacks.is_empty() {
        Ok(())
    } else {
        Err(Error::Unsupported { what: format!("compiled code that needs {}", lacks.join(", ")) })
    }
}

/// Rejects kernels with equal file names, because the code finds kernels by file name.
fn require_distinct(model: &str, kernels: &[String]) -> Result<()> {
    let mut names: Vec<&str> = kernels.iter().map(|name| file_name(name)).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    if names.len() == count { Ok(()) } else { Err(broken(model, "two kernels of one name")) }
}

fn only(names: Vec<String>) -> Option<String> {
    match <[String; 1]>::try_from(names) {
        Ok([name]) => Some(name),
        Err(_) => None,
    }
}

fn target(archive: &Archive, name: &str) -> Result<TargetMachine> {
    TargetMachine::parse(name, verified(archive, name)?.bytes())
}

/// Returns the error for a package with several libraries, none of which is known to be the model's.
pub fn several_libraries(model: &str) -> Error {
    broken(model, "more than one shared library")
}

fn broken(model: &str, holds: &str) -> Error {
    Error::Archive { entry: None, reason: format!("the compiled code of `{model}` holds {holds}") }
}
