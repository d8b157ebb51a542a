//! libtorch for the core: found where the environment says, and of the version that the core is
//! for.
//!
//! The dynamic loader gives the core a library that is already open under the same name. So a
//! library that is opened here takes precedence over the dynamic loader's own search.

use crate::functions::symbol;
use libc::c_void;
use libloading::os::unix::{Library, RTLD_LAZY, RTLD_LOCAL};
use std::path::{Path, PathBuf};

/// Library that the core needs.
const LIBRARY: &str = "libtorch_cpu.so";

/// libtorch that was opened ahead of the core, with the reason for its choice.
pub struct Chosen {
    library: Library,
    from: &'static str,
}

impl Chosen {
    /// Opens the libtorch in the folder that `PT2_LIBTORCH` names, or in the `lib` below it. None
    /// if the variable is not set.
    pub fn by_variable() -> Result<Option<Chosen>, String> {
        let Some(folder) = variable("PT2_LIBTORCH") else { return Ok(None) };
        let places = [folder.join("lib").join(LIBRARY), folder.join(LIBRARY)];
        let found = places.iter().find(|path| path.exists()).ok_or_else(|| {
            format!("PT2_LIBTORCH is `{}`, which has neither {LIBRARY} nor lib/{LIBRARY}", folder.display())
        })?;
        Chosen::open(found, "PT2_LIBTORCH").map(Some)
    }

    /// Opens the libtorch of the virtual environment that is active, if it has one.
    pub fn by_virtual_environment() -> Result<Option<Chosen>, String> {
        let Some(environment) = variable("VIRTUAL_ENV") else { return Ok(None) };
        let Ok(entries) = std::fs::read_dir(environment.join("lib")) else { return Ok(None) };
        let libraries = entries
            .filter_map(|entry| Some(entry.ok()?.path().join("site-packages/torch/lib").join(LIBRARY)));
        let Some(found) = libraries.into_iter().find(|path| path.exists()) else { return Ok(None) };
        Chosen::open(&found, "VIRTUAL_ENV").map(Some)
    }

    fn open(path: &Path, from: &'static str) -> Result<Chosen, String> {
        if let Some(other) = already_open().filter(|other| path.canonicalize().ok().as_ref() != Some(other)) {
            let (path, other) = (path.display(), other.display());
            return Err(format!("{from} leads to {path}, but this process has already opened {other}"));
        }
        // SAFETY: the user chose this libtorch, whose initialisers may run in any process.
        // RTLD_LOCAL hides its symbols from the host's own libraries.
        let library = unsafe { Library::open(Some(path), RTLD_LAZY | RTLD_LOCAL) };
        let library = library.map_err(|error| format!("{from} leads to {}, but: {error}", path.display()))?;
        Ok(Chosen { library, from })
    }

    /// Describes the library for an error of the core.
    pub fn described(&self) -> String {
        format!("{} leads to {}", self.from, described(&self.library))
    }

    /// Keeps the library open, because the core uses it now.
    pub fn keep(self) {
        std::mem::forget(self.library);
    }
}

/// Fails if the core was opened with a libtorch of another version than it is for.
pub fn require_version(core: &Library) -> Result<(), String> {
    let wanted: unsafe extern "C" fn() -> u64 = symbol(core, "libpt2_core_libtorch")?;
    // SAFETY: the function takes no arguments and returns a constant.
    let wanted = unsafe { wanted() };
    let found = version_of(core).unwrap_or_default();
    if found >> 48 == wanted >> 48 {
        return Ok(());
    }
    Err(format!("it found {}, and this build of libpt2 is for {}", described(core), named(wanted)))
}

/// Returns the file of the libtorch that this process has opened under the name that the core needs.
fn already_open() -> Option<PathBuf> {
    // SAFETY: `RTLD_NOLOAD` only finds a loaded library, so no initialiser runs.
    let library = unsafe { Library::open(Some(LIBRARY), RTLD_LAZY | libc::RTLD_NOLOAD) };
    path_of(&library.ok()?)
}

fn path_of(library: &Library) -> Option<PathBuf> {
    pt2_host::path_of(abi_version(library)? as *const c_void).ok()
}

type Version = unsafe extern "C" fn() -> u64;

/// Returns libtorch's function for its ABI version, which exists since 2.7.
fn abi_version(library: &Library) -> Option<Version> {
    symbol(library, "aoti_torch_abi_version").ok()
}

fn version_of(library: &Library) -> Option<u64> {
    // SAFETY: the function takes no arguments and returns a constant.
    abi_version(library).map(|version| unsafe { version() })
}

fn described(library: &Library) -> String {
    let version = version_of(library).map_or("a libtorch before 2.7".into(), named);
    path_of(library).map_or(version.clone(), |path| format!("{version} ({})", path.display()))
}

/// Returns a name such as `libtorch 2.11`.
fn named(version: u64) -> String {
    format!("libtorch {}.{}", version >> 56, version >> 48 & 0xff)
}

/// Returns a variable of the environment that is not empty. A program with more rights than its
/// user ignores them, as the dynamic loader does.
fn variable(name: &str) -> Option<PathBuf> {
    // SAFETY: the call takes a number.
    let has_more_rights = unsafe { libc::getauxval(libc::AT_SECURE) } != 0;
    std::env::var_os(name).filter(|value| !has_more_rights && !value.is_empty()).map(PathBuf::from)
}
