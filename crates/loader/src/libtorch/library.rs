//! Library of an open libtorch.

use super::place::Place;
use super::version::{self, Version};
use crate::advice::with_advice;
use crate::functions::symbol;
use crate::library_name::LIBTORCH;
use libc::c_void;
use libloading::os::unix::{Library, RTLD_LAZY, RTLD_LOCAL};
use std::path::{Path, PathBuf};

/// An open libtorch.
pub struct Libtorch {
    library: Library,
    pub place: Place,
}

impl Libtorch {
    /// Opens a library by its path or name.
    pub fn open(path: &Path, place: Place) -> Result<Libtorch, String> {
        // SAFETY: the user chose this libtorch, whose initialisers may run in any process.
        // RTLD_LOCAL hides its symbols from the host's own libraries.
        let library = unsafe { Library::open(Some(path), RTLD_LAZY | RTLD_LOCAL) };
        library.map(|library| Libtorch { library, place }).map_err(|error| with_advice(&error.to_string()))
    }

    /// Returns the libtorch that this process has opened under the name that engines need.
    pub fn already_open() -> Option<Libtorch> {
        // SAFETY: `RTLD_NOLOAD` only finds a loaded library, so no initialiser runs.
        let library = unsafe { Library::open(Some(LIBTORCH), RTLD_LAZY | libc::RTLD_NOLOAD) };
        Some(Libtorch { library: library.ok()?, place: Place::Process })
    }

    /// Returns None for a libtorch before 2.7, which cannot say its version.
    pub fn version(&self) -> Option<Version> {
        Version::of_libtorch_in(&self.library)
    }

    /// Returns the file, if the dynamic loader knows it.
    pub fn path(&self) -> Option<PathBuf> {
        path_in(&self.library)
    }

    /// Keeps the library open, because an engine uses it now.
    pub fn keep(self) {
        std::mem::forget(self.library);
    }
}

/// Describes the libtorch that a library depends on, such as `libtorch 2.11 (/opt/libtorch_cpu.so)`.
pub fn described(library: &Library) -> String {
    let version = Version::of_libtorch_in(library);
    let version = version.map_or("a libtorch before 2.7".into(), |version| format!("libtorch {version}"));
    path_in(library).map_or(version.clone(), |path| format!("{version} ({})", path.display()))
}

impl std::fmt::Display for Libtorch {
    fn fmt(&self, text: &mut std::fmt::Formatter) -> std::fmt::Result {
        text.write_str(&described(&self.library))
    }
}

fn path_in(library: &Library) -> Option<PathBuf> {
    // `at::get_num_threads()`, for a libtorch without the function for its version.
    const OF_EVERY_VERSION: &str = "_ZN2at15get_num_threadsEv";
    let function: Option<*const c_void> =
        [version::FUNCTION, OF_EVERY_VERSION].iter().find_map(|name| symbol(library, name).ok());
    pt2_host::path_of(function?).ok()
}
