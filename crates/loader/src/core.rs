//! Core: the other half of libpt2, which is linked with libtorch.

use crate::engine_folder;
use crate::functions::{Functions, ONE_BUILD, symbol};
use crate::libtorch::{self, Chosen};
use crate::missing::{LIBTORCH, Missing};
use crate::opening;
use crate::version::VERSION;
use libloading::os::unix::{Library, RTLD_LAZY, RTLD_LOCAL};
use once_cell::sync::OnceCell;
use pt2_host::FloatingPoint;
use std::ffi::{CStr, c_void};
use std::path::{Path, PathBuf};
use std::ptr;

/// File names of the core: installed beside other versions, and as built.
const NAMES: [&str; 2] = [concat!("libpt2_core.so.", env!("CARGO_PKG_VERSION")), "libpt2_core.so"];

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
    let folder = folder()?;
    let path = NAMES.map(|name| folder.join(name)).into_iter().find(|path| path.exists());
    let path = path.ok_or_else(|| {
        format!("`{}` has no {}, which belongs beside libpt2.so", folder.display(), NAMES[0])
    })?;
    // Initialisers of libraries change the environment, and libtorch's initialisers may compute.
    let _environment = FloatingPoint::default_environment();
    let library = match Chosen::by_variable()? {
        Some(libtorch) => open_with(libtorch, &path)?,
        None => open_library(&path).or_else(|reason| {
            let libtorch = Chosen::by_virtual_environment().unwrap_or_default();
            libtorch.map_or(Err(reason), |libtorch| open_with(libtorch, &path))
        })?,
    };
    libtorch::require_version(&library)?;
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

/// The opened core.
static LIBRARY: OnceCell<Library> = OnceCell::new();

/// Returns a function of the opened core by its name.
pub fn function<T: Copy>(name: &str) -> Result<T, String> {
    LIBRARY.get().ok_or("the core is not opened".into()).and_then(|library| symbol(library, name))
}

fn open_library(path: &Path) -> Result<Library, String> {
    // SAFETY: the core is of the same installation as this library, so the host already trusts it.
    // libtorch's initialisers may run in any process. RTLD_LOCAL hides libtorch's symbols from the
    // host's own libraries.
    let library = unsafe { Library::open(Some(path), RTLD_LAZY | RTLD_LOCAL) };
    library.map_err(|error| format!("{error}; {}", advice(&error.to_string())))
}

fn open_with(libtorch: Chosen, path: &Path) -> Result<Library, String> {
    let library = open_library(path).map_err(|reason| format!("{reason}; {}", libtorch.described()))?;
    libtorch.keep();
    Ok(library)
}

/// Returns the advice for an error of the dynamic loader.
fn advice(reason: &str) -> &'static str {
    if reason.contains("static TLS") {
        "libraries that the process opened before took it all: open libpt2.so and call pt2_libtorch_version() before \
         them, or set GLIBC_TUNABLES=glibc.rtld.optional_static_tls=16384 for the process"
    } else {
        "put libtorch's libraries beside libpt2.so, or name their folder by PT2_LIBTORCH"
    }
}

/// Returns the folder of this library, which its constructor looked up.
fn folder() -> Result<&'static Path, String> {
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
