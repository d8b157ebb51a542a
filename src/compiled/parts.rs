//! What compiled code needs besides its library: kernels and weights. It would miss them when it runs, or not at all.

use super::package::file_name;
use super::{Package, Source};
use crate::{Error, Result};

/// Kernels are looked for when they are first launched, which is too late to find that one is missing.
pub fn require_kernels(package: &Package, source: &Source) -> Result<()> {
    let there = |name: &&String| package.kernels.iter().any(|kernel| file_name(kernel) == name.as_str());
    let missing: Vec<&str> = source.kernels.iter().filter(|name| !there(name)).map(String::as_str).collect();
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
