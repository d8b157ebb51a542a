//! The compiled code of one model in an archive.

use super::{Machine, TargetMachine};
use crate::archive::{Archive, Slice};
use crate::{Error, Result};
use std::collections::HashSet;

const METADATA: &str = "_metadata.json";
const CUSTOM_OBJECTS: &str = "custom_objs_config.json";
const WEIGHTS: &str = "weights_config.json";
/// Weights in one piece beside the library (`package_constants_on_disk_format` in `torch/_inductor/config.py` 2.11).
const BLOB: &str = "_weights.blob";
/// How the loader is to compile the sources (`aot_inductor.package_cpp_only`).
const COMPILER: [&str; 2] = ["_compile_flags.json", "_linker_flags.json"];
/// Kernels in files of their own, as `get_kernel_bin_format` in `torch/_inductor/codecache.py` 2.11 calls them.
const KERNELS: [&str; 2] = [".cubin", ".fatbin"];

/// One model's compiled code: which entry is what. Nothing of the code was read.
#[derive(Clone, Debug)]
pub struct Package {
    /// The model's name in the archive.
    pub model: String,
    /// The entry with the shared library.
    pub library: String,
    /// The entry with the C++ source of the calls, which tells what they take.
    pub source: Option<String>,
    /// The entries with GPU kernels.
    pub kernels: Vec<String>,
    /// What its files say they were made for; all of them must fit.
    pub targets: Vec<TargetMachine>,
}

impl Package {
    /// Reads what is said of a model's compiled code.
    ///
    /// A package must hold exactly one shared library: PyTorch's own loader runs the compiler command named by a
    /// package that holds only sources (`AOTIModelPackageLoader` in `model_package_loader.cpp` 2.11).
    pub fn read(archive: &Archive, model: &str) -> Result<Package> {
        let names = entries(archive, model)?;
        require_runnable(&names)?;
        let ending = |ends: &[&str]| -> Vec<String> {
            names.iter().filter(|name| ends.iter().any(|end| name.ends_with(end))).cloned().collect()
        };
        let targets =
            ending(&[METADATA]).iter().map(|name| target(archive, name)).collect::<Result<Vec<_>>>()?;
        let kernels = ending(&KERNELS);
        require_distinct(model, &kernels)?;
        match (ending(&[".so"]).as_slice(), targets.is_empty()) {
            ([], _) => Err(broken(model, "no shared library, and sources are never compiled here")),
            (_, true) => Err(broken(model, "nothing that says for which machine it was made")),
            ([library], _) => {
                let source = only(ending(&[".wrapper.cpp"]));
                Ok(Package { model: model.into(), library: library.clone(), source, kernels, targets })
            }
            _ => Err(broken(model, "more than one shared library")),
        }
    }

    /// `cpu` or `cuda`: for which kind of device it was compiled.
    pub fn device(&self) -> &str {
        self.targets.first().map_or("", |target| target.device.as_str())
    }

    /// All in which this machine is another than the one it was made for, each once.
    pub fn differences(&self, here: &Machine) -> Vec<String> {
        let all = self.targets.iter().flat_map(|target| target.differences(here));
        let mut seen = HashSet::new();
        all.filter(|difference| seen.insert(difference.clone())).collect()
    }

    /// The error for a machine that it was not made for.
    pub fn other_machine(&self, differences: Vec<String>) -> Error {
        Error::OtherMachine { model: self.model.clone(), differences }
    }
}

/// The bytes of an entry of the package, compared with their checksum if the archive does that.
pub fn verified(archive: &Archive, name: &str) -> Result<Slice> {
    let slice = archive.entry(name)?;
    if archive.verifies() {
        slice.verify_in_threads()?;
    }
    Ok(slice)
}

/// The last part of an entry's name.
pub fn file_name(entry: &str) -> &str {
    entry.rsplit('/').next().unwrap_or(entry)
}

/// The entries of a model's compiled code.
fn entries(archive: &Archive, model: &str) -> Result<Vec<String>> {
    let names: Vec<String> = archive.compiled_entries(model).map(str::to_owned).collect();
    if names.is_empty() {
        let reason =
            format!("no compiled code for `{model}`; there is for {}", archive.compiled().join(", "));
        return Err(Error::Argument { argument: "model", reason });
    }
    Ok(names)
}

/// Compiled code asks its loader for operators that it cannot call itself, listed in a JSON file beside the library
/// (`serialized_extern_kernel_nodes`), for objects of custom classes, for weights that were left out of it, and to be
/// compiled at all.
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
    match lacks.is_empty() {
        true => Ok(()),
        false => Err(Error::Unsupported { what: format!("compiled code that needs {}", lacks.join(", ")) }),
    }
}

/// Kernels are found by the last part of their names.
fn require_distinct(model: &str, kernels: &[String]) -> Result<()> {
    let mut names: Vec<&str> = kernels.iter().map(|name| file_name(name)).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    match names.len() == count {
        true => Ok(()),
        false => Err(broken(model, "two kernels of one name")),
    }
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

fn broken(model: &str, holds: &str) -> Error {
    Error::Archive { entry: None, reason: format!("the compiled code of `{model}` holds {holds}") }
}
