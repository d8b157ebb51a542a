//! Checks that a package is complete: kernels and weights beside its library. Code notices a missing one only when it
//! runs, or never.

use super::package::file_name;
use super::{Package, WrapperSource};
use crate::{Error, Result};
use std::collections::HashSet;

/// Kernels are looked for when they are first launched, which is too late to find that one is missing.
pub fn require_kernels(package: &Package, source: &WrapperSource) -> Result<()> {
    let there: HashSet<&str> = package.kernels.iter().map(|kernel| file_name(kernel)).collect();
    let names = source.kernels.iter().map(String::as_str);
    let missing: Vec<&str> = names.filter(|name| !there.contains(name)).collect();
    match missing.is_empty() {
        true => Ok(()),
        false => Err(Error::Archive {
            entry: None,
            reason: format!(
                "kernels of the compiled code of `{}` are missing: {}",
                package.model,
                missing.join(", ")
            ),
        }),
    }
}

/// `missing` are the weights that are known by name. Upstream's loader runs such code on whatever it was given since.
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
