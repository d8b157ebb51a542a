//! Imports and exports of a shared library, read from its ELF bytes before any of it is executed.

use super::constant_section::{ConstantBounds, constants_in_file};
use super::edited_parts::require_own_bytes;
use super::exec_stack::{ExecStack, exec_stack};
use crate::{Error, Result};
use object::read::SectionIndex;
use object::read::elf::{Dyn, ElfFile64, FileHeader, SectionHeader, Sym};
use object::{Endianness, elf};
use std::collections::BTreeSet;
use std::ops::Range;

/// Functions of a library that libpt2 calls (`aoti_runtime/interface.h` 2.11).
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

/// Limits on the libraries that one library may name: their number, and the length of a name in
/// bytes.
const MAX_LIBRARIES: usize = 256;
const LONGEST_PATH: usize = 4096;

/// Maximum length in bytes of a function name that is examined. Other C++ names may be longer.
const LONGEST_FUNCTION: usize = 256;

/// Information from a library's ELF file, as the dynamic loader would read it.
#[derive(Clone, Debug, Default)]
pub struct Requirements {
    /// The target processor, as a number of ELF (`e_machine`).
    pub processor: u16,
    /// The libraries it depends on.
    pub libraries: Vec<Needed>,
    /// The C functions of libtorch that it calls.
    pub calls: Vec<String>,
    /// The functions of AOTInductor's interface that it exports.
    pub offers: BTreeSet<String>,
    /// The byte range of its constants in the file, or None if it is unknown.
    pub constants: Option<Range<usize>>,
    /// The library's request for executable stacks.
    pub stack: ExecStack,
}

/// A library that another one depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needed {
    /// Its name.
    pub name: String,
    /// The file offset of the 8-byte string table index of its name.
    pub offset: usize,
}

impl Requirements {
    /// Reads a library. Returns an error if the bytes are not a shared library.
    pub fn of(entry: &str, bytes: &[u8]) -> Result<Requirements> {
        read(bytes).map_err(|error| Error::Archive {
            entry: Some(entry.into()),
            reason: format!("it is no shared library that can be loaded: {error}"),
        })
    }

    /// Returns the edit that replaces the dependency `name` by `other`, as file offset and new
    /// bytes. Returns None unless the library depends on both.
    pub fn rename(&self, bytes: &[u8], name: &str, other: &str) -> Option<(usize, [u8; 8])> {
        let find = |name: &str| self.libraries.iter().find(|library| library.name == name);
        let (from, to) = (find(name)?.offset, find(other)?.offset);
        Some((from, bytes.get(to..to + 8)?.try_into().ok()?))
    }

    /// Returns the difference if the library is for another processor than this machine's.
    pub fn other_processor(&self) -> Option<String> {
        let here = match std::env::consts::ARCH {
            "x86_64" => elf::EM_X86_64,
            "aarch64" => elf::EM_AARCH64,
            _ => return None,
        };
        let made = self.processor;
        (made != here).then(|| format!("its library is for processor {made} of ELF, here it is {here}"))
    }

    /// Returns the functions of `interface` that the library does not export.
    pub fn lacks<'a>(&self, interface: &[&'a str]) -> Vec<&'a str> {
        interface.iter().copied().filter(|name| !self.offers.contains(*name)).collect()
    }
}

fn read(bytes: &[u8]) -> Result<Requirements, String> {
    let file = ElfFile64::<Endianness>::parse(bytes).map_err(said)?;
    require_own_bytes(&file)?;
    let mut found = Requirements {
        processor: file.elf_header().e_machine(file.endian()),
        libraries: libraries(&file, bytes)?,
        stack: exec_stack(&file, bytes),
        ..Requirements::default()
    };
    found.constants = functions(&file, bytes, &mut found.calls, &mut found.offers)?;
    Ok(found)
}

fn libraries(file: &ElfFile64<Endianness>, bytes: &[u8]) -> Result<Vec<Needed>, String> {
    let endian = file.endian();
    let sections = file.elf_section_table();
    let Some((dynamics, link)) = sections.dynamic(endian, bytes).map_err(said)? else {
        return Ok(Vec::new());
    };
    let strings = strings(file, bytes, link)?;
    let mut libraries = Vec::new();
    for raw in dynamics.iter().take_while(|raw| raw.d_tag(endian) != elf::DT_NULL) {
        if raw.d_tag(endian) != elf::DT_NEEDED {
            continue;
        }
        let at = usize::try_from(raw.d_val(endian)).ok();
        let name =
            at.and_then(|at| name(strings, at, LONGEST_PATH)).filter(|_| libraries.len() < MAX_LIBRARIES);
        let name = name.ok_or("it names libraries without end, or more than 256")?;
        let offset = std::ptr::from_ref(raw).addr() - bytes.as_ptr().addr() + size_of::<u64>();
        libraries.push(Needed { name: String::from_utf8_lossy(name).into_owned(), offset });
    }
    Ok(libraries)
}

/// Sorts the dynamic symbols into called and offered functions in one pass. Returns the byte range
/// of the constants.
fn functions(
    file: &ElfFile64<Endianness>,
    bytes: &[u8],
    calls: &mut Vec<String>,
    offers: &mut BTreeSet<String>,
) -> Result<Option<Range<usize>>, String> {
    let (symbols, endian) = (file.elf_dynamic_symbol_table(), file.endian());
    if symbols.is_empty() {
        return Ok(None);
    }
    let strings = strings(file, bytes, symbols.string_section())?;
    let (mut called, mut offered, mut bounds) = (BTreeSet::new(), BTreeSet::new(), ConstantBounds::default());
    for symbol in symbols.iter() {
        let Some(name) = name(strings, symbol.st_name(endian) as usize, LONGEST_FUNCTION) else { continue };
        let undefined = symbol.is_undefined(endian);
        let of_libtorch = name.starts_with(b"aoti_") || name.starts_with(b"torch_");
        if undefined && of_libtorch && symbol.st_bind() == elf::STB_GLOBAL {
            called.insert(name);
        } else if !undefined && name.starts_with(b"AOTInductor") {
            offered.insert(name);
        } else if !undefined {
            bounds.take(name, symbol.st_value(endian));
        }
    }
    let text = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
    calls.extend(called.into_iter().map(text));
    offers.extend(offered.into_iter().map(text));
    Ok(constants_in_file(file, bytes, &bounds))
}

/// Returns the bytes of a string table.
fn strings<'a>(
    file: &ElfFile64<Endianness>,
    bytes: &'a [u8],
    section: SectionIndex,
) -> Result<&'a [u8], String> {
    let section = file.elf_section_table().section(section).map_err(said)?;
    section.data(file.endian(), bytes).map_err(said)
}

/// Returns the name that begins at `at`, or None if it is longer than `longest`. The limit bounds
/// the work, because many symbols may share one long name.
fn name(strings: &[u8], at: usize, longest: usize) -> Option<&[u8]> {
    let rest = strings.get(at..)?;
    let reach = rest.get(..=longest).unwrap_or(rest);
    reach.get(..memchr::memchr(0, reach)?)
}

fn said(error: object::Error) -> String {
    error.to_string()
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
