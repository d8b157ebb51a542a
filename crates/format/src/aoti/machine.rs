//! This machine, described in the terms of a package's metadata.

use std::collections::HashSet;

/// Properties of a machine and a process on which compiled code depends.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    /// Python's `sys.platform`.
    pub platform: String,
    /// Python's `platform.machine()`.
    pub machine: String,
    /// The processor's features, as spelled in `/proc/cpuinfo`.
    pub features: HashSet<String>,
    /// The compute capability of the CUDA device that would run the code, such as `90`. None
    /// without a device.
    pub compute_capability: Option<String>,
    /// The version of the libtorch that would run the code. None if there is none to compare with.
    pub torch_version: Option<String>,
}

impl Machine {
    /// Returns this machine, without libtorch and CUDA. The set of features is empty if the
    /// operating system does not list them.
    pub fn here() -> Machine {
        let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        Machine {
            platform: std::env::consts::OS.into(),
            machine: std::env::consts::ARCH.into(),
            features: features(&text),
            ..Machine::default()
        }
    }

    /// Returns the features that an instruction set of AOTInductor needs and this machine lacks.
    ///
    /// Instruction sets are named as in `torch/_inductor/cpu_vec_isa.py` 2.11, in capitals and
    /// separated by blanks.
    pub fn lacks(&self, instruction_set: &str) -> Vec<String> {
        let words = instruction_set.split_whitespace().filter(|word| *word != "INVALID_VEC_ISA");
        let needed = words.flat_map(needed);
        needed.filter(|feature| !self.features.contains(feature)).collect()
    }
}

/// Expands an instruction set as `VecAVX512._arch_flags` and `VecAVX2._arch_flags` do. Every other
/// name is a single feature.
fn needed(word: &str) -> Vec<String> {
    let several: &[&str] = match word {
        "AVX512" => &["avx512f", "avx512dq", "avx512vl", "avx512bw", "fma"],
        "AVX2" => &["avx2", "fma", "f16c"],
        _ => return vec![word.to_ascii_lowercase()],
    };
    several.iter().map(|feature| (*feature).to_owned()).collect()
}

/// Reads the features from the line `flags` (x86) or `Features` (Arm). All processors of a machine
/// have the same features.
fn features(cpuinfo: &str) -> HashSet<String> {
    let named = |line: &str| line.starts_with("flags") || line.starts_with("Features");
    let line = cpuinfo.lines().find(|line| named(line)).and_then(|line| line.split_once(':'));
    line.map(|(_, list)| list.split_whitespace().map(str::to_owned).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instruction_sets_are_lower_bounds() {
        let cpuinfo = "processor\t: 0\nflags\t\t: fpu avx2 fma f16c avx512f avx512dq avx512vl avx512bw\n";
        let machine = Machine { features: features(cpuinfo), ..Machine::default() };
        assert!(machine.lacks("AVX512").is_empty() && machine.lacks("AVX2").is_empty());
        assert!(machine.lacks("").is_empty() && machine.lacks("INVALID_VEC_ISA").is_empty());
        assert_eq!(machine.lacks("AVX512 AVX512_VNNI"), ["avx512_vnni"]);
        assert_eq!(machine.lacks("ASIMD"), ["asimd"]);
        assert_eq!(Machine::default().lacks("AVX2"), ["avx2", "fma", "f16c"]);
    }
}
