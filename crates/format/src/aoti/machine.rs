//! This machine, in the words of a package's metadata.

use std::collections::HashSet;

/// A machine and a process, as far as compiled code depends on them.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    /// Python's `sys.platform`.
    pub platform: String,
    /// Python's `platform.machine()`.
    pub machine: String,
    /// The features of the processor, as `/proc/cpuinfo` spells them.
    pub features: HashSet<String>,
    /// The compute capability of the CUDA device that the code would run on, such as `90`; None without one.
    pub compute_capability: Option<String>,
    /// The version of the libtorch that would run it; None where none is there to compare with.
    pub torch_version: Option<String>,
}

impl Machine {
    /// This machine without libtorch and CUDA. Where the system does not list the processor's features, none is
    /// known.
    pub fn here() -> Machine {
        let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        Machine {
            platform: std::env::consts::OS.into(),
            machine: std::env::consts::ARCH.into(),
            features: features(&text),
            ..Machine::default()
        }
    }

    /// The features that an instruction set of AOTInductor needs and this machine lacks.
    ///
    /// The names are those of `torch/_inductor/cpu_vec_isa.py` 2.11 in capitals, several with blanks between.
    pub fn lacks(&self, instruction_set: &str) -> Vec<String> {
        let words = instruction_set.split_whitespace().filter(|word| *word != "INVALID_VEC_ISA");
        let needed = words.flat_map(needed);
        needed.filter(|feature| !self.features.contains(feature)).collect()
    }
}

/// `VecAVX512._arch_flags` and `VecAVX2._arch_flags`; every other name is that of one feature.
fn needed(word: &str) -> Vec<String> {
    let several: &[&str] = match word {
        "AVX512" => &["avx512f", "avx512dq", "avx512vl", "avx512bw", "fma"],
        "AVX2" => &["avx2", "fma", "f16c"],
        _ => return vec![word.to_ascii_lowercase()],
    };
    several.iter().map(|feature| (*feature).to_owned()).collect()
}

/// x86 calls the line `flags`, arm `Features`. All processors of a machine have the same.
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
