//! Operator libraries that the caller loads.

use super::cuda_startup::{CudaPolicy, start};
use super::failure::check;
use super::ffi;
use super::operator::operator_names;
use super::process;
use pt2_format::lock::lock;
use pt2_format::{Error, Result};
use std::collections::BTreeSet;
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Mutex;

/// Operators registered by libraries loaded here, as `namespace::name.overload`.
static REGISTERED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Loads a library that registers operators with libtorch, which programs may then call.
///
/// It is never unloaded. Its code runs with all the rights of the process.
pub fn load_op_library(path: &Path) -> Result<()> {
    start(CudaPolicy::Auto);
    let refuse = |source| Error::Io { path: path.into(), source };
    // The dynamic loader would look up a name without a slash in the system's folders.
    let file = path.canonicalize().map_err(refuse)?;
    let file = CString::new(file.as_os_str().as_bytes()).map_err(|error| refuse(error.into()))?;
    let mut registered = lock(&REGISTERED);
    let before = names()?;
    // SAFETY: the path is NUL-terminated. The caller of libpt2 chose the library, and so its
    // initialisers.
    let opened = check(unsafe { ffi::shim_library_open(file.as_ptr()) });
    if opened.is_ok() {
        process::hook_file(&file);
    }
    registered.extend(names()?.difference(&before).cloned());
    opened.map_err(|failure| {
        let file = file.to_string_lossy();
        Error::OperatorLibrary { path: path.into(), reason: explained(&failure.message, &file) }
    })
}

/// Returns the dynamic loader's message, with advice if a library or symbol is missing.
///
/// glibc writes `NAME: cannot open shared object file: REASON` and `FILE: undefined symbol: NAME`.
/// NAME is the file itself or a library that it needs (elf/dl-load.c, 2.36).
fn explained(message: &str, file: &str) -> String {
    let needed = message.split_once(": cannot open shared object file").map(|(name, _)| name);
    match needed.filter(|name| *name != file) {
        Some(name) => format!(
            "it needs `{name}`, which the dynamic loader does not find ({message}); add the folder of `{name}` to \
             LD_LIBRARY_PATH before the process starts, or load `{name}` first"
        ),
        None if message.contains("undefined symbol") => {
            format!("{message}; it was built for another libtorch, or needs a library that is not loaded")
        }
        None => message.to_owned(),
    }
}

/// Returns true if a library that the caller loaded has registered this operator.
pub fn registered_by_loaded_library(full: &str) -> bool {
    lock(&REGISTERED).contains(full)
}

fn names() -> Result<BTreeSet<String>> {
    let names = operator_names().map_err(|failure| failure.outside_node())?;
    Ok(names.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::explained;

    #[test]
    fn a_missing_dependency_is_named() {
        let message = "libneeded.so.2: cannot open shared object file: No such file or directory";
        assert!(explained(message, "/a/libops.so").starts_with("it needs `libneeded.so.2`"));
        let message = "/a/libops.so: cannot open shared object file: Permission denied";
        assert_eq!(explained(message, "/a/libops.so"), message);
        assert_eq!(explained("/a/b.so: invalid ELF header", "/a/b.so"), "/a/b.so: invalid ELF header");
        assert!(explained("/a/b.so: undefined symbol: x", "/a/b.so").contains("another libtorch"));
    }
}
