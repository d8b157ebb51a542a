//! What a shared library needs and gives, read from its bytes before any of them is executed.

use super::stored::stored_constants;
use crate::{Error, Result};
use object::read::elf::{ElfFile64, FileHeader, Sym};
use object::{Endianness, elf};
use std::collections::BTreeSet;
use std::ops::Range;

/// The functions of a library that this room calls (`aoti_runtime/interface.h` 2.11).
#[cfg(feature = "torch")]
pub const INTERFACE: [&str; 13] = [
    "AOTInductorModelContainerCreateWithDevice",
    "AOTInductorModelContainerDelete",
    "AOTInductorModelContainerExtractConstantsMap",
    "AOTInductorModelContainerGetCallSpec",
    "AOTInductorModelContainerGetConstantFromFolded",
    "AOTInductorModelContainerGetConstantOriginalFQN",
    "AOTInductorModelContainerGetConstantType",
    "AOTInductorModelContainerGetInputName",
    "AOTInductorModelContainerGetNumConstants",
    "AOTInductorModelContainerGetNumInputs",
    "AOTInductorModelContainerGetNumOutputs",
    "AOTInductorModelContainerRun",
    "AOTInductorModelContainerRunConstantFolding",
];

/// What the dynamic loader would find in a library.
#[derive(Clone, Debug, Default)]
pub struct Requirements {
    /// The processor it is for, by its number in ELF.
    pub processor: u16,
    /// The libraries it names.
    pub libraries: Vec<Needed>,
    /// The functions of libtorch that it calls.
    pub calls: Vec<String>,
    /// The functions of AOTInductor's interface that it offers.
    pub offers: BTreeSet<String>,
    /// Which bytes of its file are its constants; None where nothing tells.
    pub constants: Option<Range<usize>>,
}

/// A library that another one names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needed {
    /// Its name.
    pub name: String,
    /// Where in the file the place of its name is written, in 8 bytes.
    pub offset: usize,
}

impl Requirements {
    /// Reads a library. Bytes that are none are refused.
    pub fn of(entry: &str, bytes: &[u8]) -> Result<Requirements> {
        read(bytes).map_err(|error| Error::Archive {
            entry: Some(entry.into()),
            reason: format!("it is no shared library that can be loaded: {error}"),
        })
    }

    /// The edit after which it names `other` instead of `name`: where, and which bytes. None if it names only one of
    /// them or neither.
    pub fn rename(&self, bytes: &[u8], name: &str, other: &str) -> Option<(usize, [u8; 8])> {
        let find = |name: &str| self.libraries.iter().find(|library| library.name == name);
        let (from, to) = (find(name)?.offset, find(other)?.offset);
        Some((from, bytes.get(to..to + 8)?.try_into().ok()?))
    }

    /// In which way it is not for this machine's processor.
    pub fn other_processor(&self) -> Option<String> {
        let here = match std::env::consts::ARCH {
            "x86_64" => elf::EM_X86_64,
            "aarch64" => elf::EM_AARCH64,
            _ => return None,
        };
        let made = self.processor;
        (made != here).then(|| format!("its library is for processor {made} of ELF, here it is {here}"))
    }

    /// Of the functions that every AOTInductor library has, those that are not there.
    pub fn lacks<'a>(&self, interface: &[&'a str]) -> Vec<&'a str> {
        interface.iter().copied().filter(|name| !self.offers.contains(*name)).collect()
    }
}

fn read(bytes: &[u8]) -> object::Result<Requirements> {
    let file = ElfFile64::<Endianness>::parse(bytes)?;
    let endian = file.endian();
    let mut found =
        Requirements { processor: file.elf_header().e_machine(endian), ..Requirements::default() };
    let dynamic = file.elf_dynamic_table()?;
    for (entry, raw) in dynamic.iter().zip(dynamic.dynamics()) {
        if entry.tag == elf::DT_NEEDED {
            let name = String::from_utf8_lossy(dynamic.string(entry)?).into_owned();
            let offset = std::ptr::from_ref(raw).addr() - bytes.as_ptr().addr();
            found.libraries.push(Needed { name, offset: offset + size_of::<u64>() });
        }
    }
    let symbols = file.elf_dynamic_symbol_table();
    for symbol in symbols.iter() {
        let name = String::from_utf8_lossy(symbols.symbol_name(endian, symbol)?).into_owned();
        match symbol.is_undefined(endian) {
            true if name.starts_with("aoti_") && symbol.st_bind() == elf::STB_GLOBAL => {
                found.calls.push(name)
            }
            false if name.starts_with("AOTInductor") => drop(found.offers.insert(name)),
            _ => {}
        }
    }
    found.constants = stored_constants(&file, bytes);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_library_are_refused() {
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert!(Requirements::of("x.so", &own).is_ok_and(|own| own.other_processor().is_none()));
        assert_eq!(Requirements::of("x.so", &own).unwrap().constants, None);
        for bytes in [&b""[..], b"\x7fELF", &own[..64], &own[..own.len() / 2]] {
            let refused = Requirements::of("x.so", bytes);
            assert!(matches!(refused, Err(Error::Archive { .. })), "{} bytes", bytes.len());
        }
        let mut other = own.clone();
        other[18] ^= 1;
        let other = Requirements::of("x.so", &other).unwrap();
        assert!(
            other.other_processor().is_some() && other.lacks(&["AOTInductorModelContainerRun"]).len() == 1
        );
    }
}
