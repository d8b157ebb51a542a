//! Target machine of a package, from its `*_metadata.json` (`get_device_information` in
//! `torch/_inductor/codecache.py` 2.11).
//!
//! The PyTorch version is compared only if the metadata holds it: the user who compiles may add it
//! as `torch_version` (`aot_inductor.metadata`). Instructions that `-march=native` enabled are not
//! recorded, and therefore not checked.

use super::Machine;
use crate::{Error, Result};
use std::collections::BTreeMap;

/// Machine that one library was compiled for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetMachine {
    /// `cpu` or `cuda`.
    pub device: String,
    /// Python's `sys.platform` on that machine.
    pub platform: String,
    /// Python's `platform.machine()` on that machine.
    pub machine: String,
    /// The vector instruction sets that it uses.
    pub instruction_set: String,
    /// The compute capability of the CUDA device. Empty for the CPU.
    pub compute_capability: String,
    /// The version of PyTorch that compiled it, if it is recorded.
    pub torch_version: Option<String>,
}

impl TargetMachine {
    /// Parses the metadata of the entry `entry`.
    pub fn parse(entry: &str, json: &[u8]) -> Result<TargetMachine> {
        let fields: BTreeMap<String, String> =
            serde_json::from_slice(json).map_err(|error| malformed(entry, error.to_string()))?;
        let field = |name: &str| {
            fields.get(name).cloned().ok_or_else(|| malformed(entry, format!("it does not say {name}")))
        };
        Ok(TargetMachine {
            device: field("AOTI_DEVICE_KEY")?,
            platform: field("AOTI_PLATFORM")?,
            machine: field("AOTI_MACHINE")?,
            instruction_set: field("AOTI_CPU_ISA")?,
            compute_capability: field("AOTI_COMPUTE_CAPABILITY")?,
            torch_version: fields.get("torch_version").cloned(),
        })
    }

    /// Returns every difference between `here` and the target machine, with both values.
    pub fn differences(&self, here: &Machine) -> Vec<String> {
        let mut all = Vec::new();
        all.extend(unlike("platform", &self.platform, &here.platform));
        all.extend(unlike("machine", &self.machine, &here.machine));
        all.extend(self.instruction_set_missing(here));
        all.extend(self.other_device(here));
        all.extend(self.torch_version.as_deref().and_then(|made| other_torch(made, here)));
        all
    }

    fn instruction_set_missing(&self, here: &Machine) -> Option<String> {
        let lacking = here.lacks(&self.instruction_set);
        let set = &self.instruction_set;
        (!lacking.is_empty())
            .then(|| format!("its CPU instruction set is {set}, here {} is missing", lacking.join(", ")))
    }

    fn other_device(&self, here: &Machine) -> Option<String> {
        match (self.device.as_str(), &here.compute_capability) {
            ("cpu", _) => None,
            ("cuda", Some(found)) => unlike("compute capability", &self.compute_capability, found),
            ("cuda", None) => {
                let made = &self.compute_capability;
                Some(format!("its compute capability is {made}, here there is no CUDA device"))
            }
            (other, _) => Some(format!("its device is {other}, here code for cpu and cuda can run")),
        }
    }
}

/// Returns the difference in minor versions of PyTorch. A minor version may change the libtorch
/// functions that compiled code calls.
pub fn other_torch(made: &str, here: &Machine) -> Option<String> {
    let found = here.torch_version.as_deref()?;
    let minor = |version: &str| version.split('.').take(2).map(str::to_owned).collect::<Vec<_>>();
    (minor(made) != minor(found)).then(|| format!("its PyTorch is {made}, here it is {found}"))
}

fn unlike(what: &str, made: &str, here: &str) -> Option<String> {
    (made != here).then(|| format!("its {what} is {made}, here it is {here}"))
}

fn malformed(entry: &str, reason: String) -> Error {
    Error::Archive { entry: Some(entry.into()), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> Machine {
        Machine {
            platform: "linux".into(),
            machine: "x86_64".into(),
            compute_capability: Some("90".into()),
            torch_version: Some("2.11.0".into()),
            ..Machine::default()
        }
    }

    fn target() -> TargetMachine {
        let json = br#"{"AOTI_DEVICE_KEY": "cuda", "AOTI_PLATFORM": "linux", "AOTI_MACHINE": "x86_64",
            "AOTI_CPU_ISA": "", "AOTI_COMPUTE_CAPABILITY": "90", "torch_version": "2.11.1", "own": "key"}"#;
        TargetMachine::parse("m", json).unwrap()
    }

    #[test]
    fn what_fits_has_no_differences() {
        assert_eq!(target().differences(&machine()), [""; 0]);
    }

    #[test]
    fn every_difference_gives_both_values() {
        type Change = fn(&mut TargetMachine);
        let cases: [(Change, &str); 6] = [
            (|t| t.platform = "win32".into(), "its platform is win32, here it is linux"),
            (|t| t.machine = "aarch64".into(), "its machine is aarch64, here it is x86_64"),
            (|t| t.instruction_set = "AVX2".into(), "is AVX2, here avx2, fma, f16c is missing"),
            (|t| t.compute_capability = "80".into(), "its compute capability is 80, here it is 90"),
            (|t| t.device = "xpu".into(), "its device is xpu"),
            (|t| t.torch_version = Some("2.10.0".into()), "its PyTorch is 2.10.0, here it is 2.11.0"),
        ];
        for (change, expected) in cases {
            let mut changed = target();
            change(&mut changed);
            let differences = changed.differences(&machine());
            assert!(matches!(&differences[..], [one] if one.contains(expected)), "{differences:?}");
        }
        let without = Machine { compute_capability: None, ..machine() };
        assert!(target().differences(&without)[0].contains("here there is no CUDA device"));
    }

    #[test]
    fn metadata_that_is_none_is_refused() {
        for json in
            ["", "[]", "{}", r#"{"AOTI_DEVICE_KEY": 1}"#, r#"{"AOTI_DEVICE_KEY": "cpu"}"#, "{\"a\":\"b\""]
        {
            assert!(
                matches!(TargetMachine::parse("m", json.as_bytes()), Err(Error::Archive { .. })),
                "{json}"
            );
        }
    }
}
