//! Version of a libtorch, as engines distinguish it.

use crate::functions::symbol;
use libloading::os::unix::Library;
use std::fmt::{Display, Formatter};
use std::str::FromStr;

/// libtorch's function for its ABI version, which exists since 2.7.
pub const FUNCTION: &str = "aoti_torch_abi_version";

/// Major and minor version, such as 2.11.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    major: u8,
    minor: u8,
}

impl Version {
    /// Reads an ABI version: major and minor are its top two bytes (`torch/version.h`, 2.9 to 2.15).
    pub fn of_abi(number: u64) -> Version {
        let [major, minor, ..] = number.to_be_bytes();
        Version { major, minor }
    }

    /// Asks the libtorch that a library is or depends on. None before 2.7.
    pub fn of_libtorch_in(library: &Library) -> Option<Version> {
        let function: unsafe extern "C" fn() -> u64 = symbol(library, FUNCTION).ok()?;
        // SAFETY: the function takes no arguments and returns a constant.
        Some(Version::of_abi(unsafe { function() }))
    }
}

impl Display for Version {
    fn fmt(&self, text: &mut Formatter) -> std::fmt::Result {
        write!(text, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for Version {
    type Err = ();

    fn from_str(text: &str) -> Result<Version, ()> {
        let (major, minor) = text.split_once('.').ok_or(())?;
        let number = |part: &str| part.parse().map_err(|_| ());
        let version = Version { major: number(major)?, minor: number(minor)? };
        (version.to_string() == text).then_some(version).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_by_their_numbers() {
        let versions: Vec<Version> = ["2.9", "2.10", "2.15", "3.0"].map(|text| text.parse().unwrap()).into();
        assert!(versions.is_sorted());
        assert_eq!(Version::of_abi(0x020b_0000_0000_0000).to_string(), "2.11");
        assert_eq!(Version::of_abi(0x020b_0000_0000_0000), "2.11".parse().unwrap());
    }

    #[test]
    fn other_texts_are_no_versions() {
        for text in ["", "2", "2.", ".9", "2.09", "2.+9", "2.9.1", "2.256", " 2.9"] {
            assert!(text.parse::<Version>().is_err(), "{text:?}");
        }
    }
}
