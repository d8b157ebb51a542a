//! Libraries of operators that are loaded on purpose.

use super::cuda::{CudaPolicy, start};
use super::failure::check;
use super::ffi;
use super::operator::operator_names;
use super::process;
use crate::lock::lock;
use crate::{Error, Result};
use std::collections::BTreeSet;
use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Mutex;

/// The operators that came with libraries loaded here, as `namespace::name.overload`.
static BROUGHT: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Loads a library that registers operators with libtorch; programs may call them from then on. It stays for the
/// life of the process. Its code runs with all the rights of the process.
pub fn load_op_library(path: &Path) -> Result<()> {
    start(CudaPolicy::Auto);
    let refuse = |source| Error::Io { path: path.into(), source };
    // A name without a slash would be looked up in the system's folders.
    let file = path.canonicalize().map_err(refuse)?;
    let file = CString::new(file.as_os_str().as_bytes()).map_err(|error| refuse(error.into()))?;
    let mut brought = lock(&BROUGHT);
    let before = names()?;
    // SAFETY: the path is NUL-terminated. What the library's own initialisers do is the caller's trust.
    let opened = check(unsafe { ffi::shim_library_open(file.as_ptr()) });
    if opened.is_ok() {
        process::hook_file(&file);
    }
    brought.extend(names()?.difference(&before).cloned());
    opened.map_err(|failure| refuse(io::Error::other(failure.message)))
}

/// Whether an operator came with a library that was loaded on purpose.
pub fn brought_on_purpose(full: &str) -> bool {
    lock(&BROUGHT).contains(full)
}

fn names() -> Result<BTreeSet<String>> {
    let names = operator_names().map_err(|failure| failure.outside_node())?;
    Ok(names.into_iter().collect())
}
