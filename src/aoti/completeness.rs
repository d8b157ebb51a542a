//! Checks that a package contains its kernels and weights.
//!
//! Compiled code detects a missing one only at run time, or never.

use super::package::{file_name, several_libraries};
use super::{Package, WrapperSource};
use crate::{Error, Result};
use std::collections::HashSet;

/// Fails if a kernel is missing, or if a shared library is no kernel of the code. The code would
/// look for a kernel only at its first launch.
pub fn require_kernels(package: &Package, source: &WrapperSource) -> Result<()> {
    let there: HashSet<&str> = package.kernels.iter().map(|kernel| file_name(kernel)).collect();
    let names = source.kernels.iter().map(String::as_str);
    let missing: Vec<&str> = names.filter(|name| !there.contains(name)).collect();
    let is_kernel = |name: &String| source.kernels.contains(file_name(name));
    if missing.is_empty() {
        let all = package.kernel_libraries().all(is_kernel);
        if all { Ok(()) } else { Err(several_libraries(&package.model)) }
    } else {
        Err(Error::Archive {
            entry: None,
            reason: format!(
                "kernels of the compiled code of `{}` are missing: {}",
                package.model,
                missing.join(", ")
            ),
        })
    }
}

/// Fails if the code needs weights outside of the library; `missing` are those known by name.
///
/// PyTorch's loader runs such code on the weights set so far.
pub fn require_weights(outside: bool, missing: &[String]) -> Result<()> {
    if !outside && missing.is_empty() {
        return Ok(());
    }
    let which = if missing.is_empty() { String::new() } else { format!(": {}", missing.join(", ")) };
    let what = format!(
        "compiled code that needs weights outside of the library (package_constants_in_so=False){which}"
    );
    Err(Error::Unsupported { what })
}
