//! Releases of PyTorch that a library can come from, by the functions of AOTInductor's interface
//! that it exports.
//!
//! A package does not record the PyTorch version that compiled it. Each library exports the whole
//! interface of its release (`torch/_inductor/codegen/aoti_runtime/interface.cpp`, 2.9 to 2.15).

use super::Machine;
use std::collections::BTreeSet;

/// Functions of the interface, with the minor version of PyTorch 2 that added each.
const ADDED: [(&str, u32); 4] = [
    ("AOTInductorModelUpdateConstantsFromBlob", 10),
    ("AOTInductorGetLastError", 13),
    ("AOTInductorModelContainerCreateWithExternalConstants", 14),
    ("AOTInductorModelContainerSetUseStreamAffinity", 15),
];

/// Returns the difference if the exported functions are not those of this machine's PyTorch.
pub fn other_release(exports: &BTreeSet<String>, here: &Machine) -> Option<String> {
    let found = here.torch_version.as_deref()?;
    let minor = minor(found)?;
    let has = |name: &str| exports.contains(name);
    if let Some((_, since)) = ADDED.iter().rev().find(|(name, since)| *since > minor && has(name)) {
        return Some(format!("its PyTorch is 2.{since} or later, here it is {found}"));
    }
    let (_, since) = ADDED.iter().find(|(name, since)| *since <= minor && !has(name))?;
    Some(format!("its PyTorch is older than 2.{since}, here it is {found}"))
}

/// Returns the minor version of a PyTorch 2.
fn minor(version: &str) -> Option<u32> {
    let mut parts = version.split('.');
    (parts.next() == Some("2")).then(|| parts.next()?.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exported(since: u32) -> BTreeSet<String> {
        ADDED.iter().filter(|(_, added)| *added <= since).map(|(name, _)| (*name).to_owned()).collect()
    }

    #[test]
    fn each_release_accepts_its_own_interface_only() {
        let here = |version: &str| Machine { torch_version: Some(version.into()), ..Machine::default() };
        for (made, found, sentence) in [
            (9, "2.9.1", None),
            (11, "2.11.0", None),
            (10, "2.12.1", None),
            (15, "2.15.0", None),
            (15, "2.16.0", None),
            (9, "2.11.0", Some("its PyTorch is older than 2.10, here it is 2.11.0")),
            (11, "2.15.0", Some("its PyTorch is older than 2.13, here it is 2.15.0")),
            (15, "2.11.0", Some("its PyTorch is 2.15 or later, here it is 2.11.0")),
            (14, "2.13.0", Some("its PyTorch is 2.14 or later, here it is 2.13.0")),
            (13, "2.14.1", Some("its PyTorch is older than 2.14, here it is 2.14.1")),
        ] {
            assert_eq!(other_release(&exported(made), &here(found)).as_deref(), sentence, "{made} {found}");
        }
        assert_eq!(other_release(&exported(15), &Machine::default()), None);
    }
}
