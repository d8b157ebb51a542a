//! Core: the other half of libpt2, of which an engine is the build for one version of libtorch.

use crate::advice::with_advice;
use crate::attempt;
use crate::engine::{Engines, allows_newer};
use crate::engine_folder;
use crate::functions::{Functions, ONE_BUILD, symbol};
use crate::libtorch::{Libtorch, Place, Search, Version, described};
use crate::missing::{LIBTORCH, Missing};
use crate::opening;
use crate::version::VERSION;
use libloading::os::unix::{Library, RTLD_LAZY, RTLD_LOCAL};
use once_cell::sync::OnceCell;
use pt2_host::FloatingPoint;
use std::ffi::{CStr, c_void};
use std::path::{Path, PathBuf};
use std::ptr;

static CORE: OnceCell<Result<Functions, Missing>> = OnceCell::new();

/// Error of calls that came too late to open the core.
static REFUSED: OnceCell<Missing> = OnceCell::new();

/// Returns the functions of the core, which the first call opens. A failure lasts for the life of
/// the process.
pub fn opened() -> Result<&'static Functions, &'static Missing> {
    if let Some(core) = CORE.get() {
        return core.as_ref();
    }
    let _opening = match opening::enter() {
        Ok(opening) => opening,
        Err((code, reason)) => return Err(REFUSED.get_or_init(|| Missing::because(code, reason))),
    };
    CORE.get_or_init(|| open().map_err(|reason| Missing::because(LIBTORCH, &reason))).as_ref()
}

/// Returns the functions of the core if a call has opened it. Otherwise no object of the core
/// exists.
pub fn if_opened() -> Option<&'static Functions> {
    CORE.get()?.as_ref().ok()
}

/// Returns true if a call has tried to open the core.
pub fn is_decided() -> bool {
    CORE.get().is_some()
}

/// Returns the error at a caller's address if it is not the core's but one of a missing core.
pub fn missing_at(error: *const c_void) -> Option<&'static Missing> {
    let failed = CORE.get().and_then(|core| core.as_ref().err());
    failed.into_iter().chain(REFUSED.get()).find(|missing| ptr::from_ref(*missing).cast() == error)
}

fn open() -> Result<Functions, String> {
    let mut search = Search::default();
    // Initialisers of libraries change the environment, and libtorch's initialisers may compute.
    let _environment = FloatingPoint::default_environment();
    let found = folder().and_then(|folder| engine(folder, &mut search));
    attempt::remember(search, found.as_ref().ok().map(|(path, _)| path.clone()));
    let (path, library) = found?;
    require_version(&library)?;
    let functions = Functions::of(&library)?;
    // SAFETY: pt2_version takes no arguments and returns a static string.
    let version = unsafe { CStr::from_ptr((functions.pt2_version)().0) };
    if version != VERSION {
        return Err(format!("`{}` is of version {}; {ONE_BUILD}", path.display(), version.to_string_lossy()));
    }
    opening::close_at_exit(symbol(&library, "libpt2_core_close")?);
    // libtorch cannot be unloaded.
    LIBRARY.get_or_init(|| library);
    Ok(functions)
}

/// The opened engine.
static LIBRARY: OnceCell<Library> = OnceCell::new();

/// Returns a function of the opened engine by its name.
pub fn function<T: Copy>(name: &str) -> Result<T, String> {
    LIBRARY.get().ok_or("no engine is opened".into()).and_then(|library| symbol(library, name))
}

/// Opens libtorch and the engine for it.
fn engine(folder: &Path, search: &mut Search) -> Result<(PathBuf, Library), String> {
    let engines = Engines::in_folder(folder)?;
    if let Some(libtorch) = search.before_engines(folder)? {
        return with_libtorch(&engines, libtorch);
    }
    let mut reason = None;
    for path in engines.newest_first() {
        match open_library(&path) {
            Ok(library) => {
                search.note(Place::Engine, described(&library));
                return Ok((path, library));
            }
            Err(error) => reason = reason.or(Some(error)),
        }
    }
    let reason = reason.unwrap_or_default();
    search.note(Place::Engine, &reason);
    match search.after_engines()? {
        Some(libtorch) => with_libtorch(&engines, libtorch),
        None => Err(reason),
    }
}

fn with_libtorch(engines: &Engines, libtorch: Libtorch) -> Result<(PathBuf, Library), String> {
    let path = engines.for_libtorch(&libtorch)?;
    let library = open_library(&path).map_err(|reason| {
        let (place, path) = (libtorch.place, path.display());
        format!("{place} leads to {libtorch}, with which {path} cannot be opened: {reason}")
    })?;
    libtorch.keep();
    Ok((path, library))
}

fn open_library(path: &Path) -> Result<Library, String> {
    // SAFETY: the engine is of the same installation as this library, so the host already trusts
    // it. libtorch's initialisers may run in any process. RTLD_LOCAL hides libtorch's symbols from
    // the host's own libraries.
    let library = unsafe { Library::open(Some(path), RTLD_LAZY | RTLD_LOCAL) };
    library.map_err(|error| with_advice(&error.to_string()))
}

/// Fails if the engine was opened with a libtorch of another version than it is for.
fn require_version(engine: &Library) -> Result<(), String> {
    let built_for: unsafe extern "C" fn() -> u64 = symbol(engine, "libpt2_core_libtorch")?;
    // SAFETY: the function takes no arguments and returns a constant.
    let built_for = Version::of_abi(unsafe { built_for() });
    let found = Version::of_libtorch_in(engine);
    if found == Some(built_for) || (allows_newer() && found > Some(built_for)) {
        return Ok(());
    }
    Err(format!("it found {}, and this engine of libpt2 is for libtorch {built_for}", described(engine)))
}

/// Returns the folder of the engines: that of this library, which its constructor looked up.
pub fn folder() -> Result<&'static Path, String> {
    if let Some(folder) = engine_folder::of_program() {
        return folder;
    }
    let unknown = |reason: &str| format!("the folder of libpt2.so is unknown: {reason}");
    let path = PATH.get().ok_or_else(|| unknown("its constructor did not run"))?;
    let path = path.as_ref().map_err(|reason| unknown(reason))?;
    path.parent().ok_or_else(|| unknown("its path has no parent"))
}

/// File of this library. The dynamic loader records the path by which a host opened it. A relative
/// path has no meaning once the host has changed its working directory.
static PATH: OnceCell<Result<PathBuf, String>> = OnceCell::new();

extern "C" fn remember_path() {
    PATH.get_or_init(|| pt2_host::path_of((&raw const CORE).cast()));
}

#[used]
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = remember_path;
