//! Core for the program `pt2`, which links this crate instead of `libpt2.so`.

use crate::core;
use crate::engine_folder;
use crate::missing::Missing;
use crate::report;
use std::ffi::{CStr, CString, c_char, c_int};

/// Carries out a command (`crates/core`).
type Command = unsafe extern "C" fn(c_int, *const *const c_char) -> c_int;

/// Returns the report of `pt2_doctor`, and true if models can be loaded.
pub fn doctor() -> (String, bool) {
    engine_folder::search_beside_program();
    (report::text().to_string_lossy().into_owned(), core::opened().is_ok())
}

/// Returns the version of libtorch, such as `2.11.0`. The error is a sentence.
pub fn libtorch_version() -> Result<&'static str, String> {
    engine_folder::search_beside_program();
    let functions = core::opened().map_err(sentence)?;
    // SAFETY: the function takes no arguments, and returns a static string of the core.
    let version = unsafe { CStr::from_ptr((functions.pt2_libtorch_version)().0) };
    Ok(version.to_str().unwrap_or_default())
}

/// Carries out a command with libtorch. The arguments begin with the name of the program. Returns
/// the exit code. The error is a sentence on a libtorch or core that cannot be used.
pub fn carry_out(arguments: &[CString]) -> Result<c_int, String> {
    engine_folder::search_beside_program();
    core::opened().map_err(sentence)?;
    let command: Command = core::function("libpt2_core_cli")?;
    let pointers: Vec<*const c_char> = arguments.iter().map(|argument| argument.as_ptr()).collect();
    let count = c_int::try_from(pointers.len()).map_err(|error| error.to_string())?;
    // SAFETY: the function has this type in the core of this build, and `pointers` holds `count`
    // NUL-terminated strings, which live until it returns.
    Ok(unsafe { command(count, pointers.as_ptr()) })
}

fn sentence(missing: &Missing) -> String {
    missing.message.to_string_lossy().into_owned()
}
