//! The other half of libpt2, which is linked with libtorch.

use crate::functions::Functions;
use crate::missing::Missing;
use crate::version::VERSION;
use libloading::os::unix::{Library, RTLD_LAZY, RTLD_LOCAL};
use once_cell::sync::OnceCell;
use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// As it is installed, beside other versions, and as it is built.
const NAMES: [&str; 2] = [concat!("libpt2_core.so.", env!("CARGO_PKG_VERSION")), "libpt2_core.so"];

/// What helps where the two differ.
pub const ONE_BUILD: &str = "install both halves of libpt2 from one build";

static CORE: OnceCell<Result<Functions, Missing>> = OnceCell::new();

/// The functions of the other half, which the first call opens. What fails there fails for the life of the process.
pub fn opened() -> Result<&'static Functions, &'static Missing> {
    CORE.get_or_init(|| open().map_err(|reason| Missing::because(&reason))).as_ref()
}

/// The same without opening it: nothing is there yet that it made.
pub fn if_opened() -> Option<&'static Functions> {
    CORE.get()?.as_ref().ok()
}

/// Whether a call has tried to open it.
pub fn is_decided() -> bool {
    CORE.get().is_some()
}

/// What the first call found missing, if it did.
pub fn missing() -> Option<&'static Missing> {
    CORE.get()?.as_ref().err()
}

fn open() -> Result<Functions, String> {
    let folder = folder()?;
    let path = NAMES.map(|name| folder.join(name)).into_iter().find(|path| path.exists());
    let path = path.ok_or_else(|| {
        format!("`{}` has no {}, which belongs beside libpt2.so", folder.display(), NAMES[0])
    })?;
    // SAFETY: it is of the same installation as this library, whose process asked for it. libtorch's initialisers are
    // made to run in any process. Local: a host's own libraries see no symbol of libtorch's.
    let library = unsafe { Library::open(Some(&path), RTLD_LAZY | RTLD_LOCAL) };
    let library = library.map_err(|error| {
        format!("{error}; put libtorch's libraries beside libpt2.so, or their folder into LD_LIBRARY_PATH")
    })?;
    let functions = Functions::of(&library)?;
    // SAFETY: it takes nothing and returns a static text.
    let version = unsafe { CStr::from_ptr((functions.pt2_version)().0) };
    if version != VERSION {
        return Err(format!("`{}` is of version {}; {ONE_BUILD}", path.display(), version.to_string_lossy()));
    }
    // libtorch cannot be unloaded.
    std::mem::forget(library);
    Ok(functions)
}

/// Where this library is, with links followed.
fn folder() -> Result<PathBuf, String> {
    const UNKNOWN: &str = "the folder of libpt2.so is unknown";
    // SAFETY: an all-zero Dl_info is a valid value of that plain C struct.
    let mut info: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: the address is of this library; dladdr fills `info` or returns 0.
    let found = unsafe { libc::dladdr((&raw const CORE).cast(), &mut info) };
    if found == 0 || info.dli_fname.is_null() {
        return Err(UNKNOWN.into());
    }
    // SAFETY: the dynamic loader's text lives as long as this library.
    let name = unsafe { CStr::from_ptr(info.dli_fname) };
    let path = Path::new(OsStr::from_bytes(name.to_bytes()));
    let path = path.canonicalize().map_err(|error| format!("{UNKNOWN}: {}: {error}", path.display()))?;
    path.parent().map(Path::to_owned).ok_or(UNKNOWN.into())
}
