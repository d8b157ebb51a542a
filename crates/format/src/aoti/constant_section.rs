//! Section of a library's file that holds its constants.

use object::Endianness;
use object::elf::PT_LOAD;
use object::read::elf::{ElfFile64, ProgramHeader};
use std::ops::Range;

/// Symbols around the constants (`_compile_consts` in `torch/_inductor/codecache.py` 2.11).
const START: &[u8] = b"_binary_constants_bin_start";
const END: &[u8] = b"_binary_constants_bin_end";

/// Size of a section that replaces large constants. It holds only their size, which includes a
/// trailing mark, and the mark. The constants themselves are at the end of the file, before the
/// mark (`_get_constants_start` in `aoti_runtime/model_base.h` 2.11).
const SIZE_AND_MARK: usize = 16;
const MARK: usize = 8;

/// Addresses of the two symbols.
#[derive(Clone, Copy, Debug, Default)]
pub struct ConstantBounds {
    start: Option<u64>,
    end: Option<u64>,
}

impl ConstantBounds {
    /// Records the address of a defined symbol if it is one of the two. The first definition of a
    /// name counts.
    pub fn take(&mut self, name: &[u8], address: u64) {
        match name {
            START => self.start = self.start.or(Some(address)),
            END => self.end = self.end.or(Some(address)),
            _ => {}
        }
    }
}

/// Returns the byte range of the constants in the file, or None if it is unknown.
pub fn constants_in_file(
    file: &ElfFile64<Endianness>,
    bytes: &[u8],
    bounds: &ConstantBounds,
) -> Option<Range<usize>> {
    let inside = in_file(file, bounds.start?, bounds.end?)?;
    if inside.len() != SIZE_AND_MARK {
        return bytes.get(inside.clone()).map(|_| inside);
    }
    let (size, mark) = bytes.get(inside)?.split_at(SIZE_AND_MARK - MARK);
    let size = usize::try_from(u64::from_ne_bytes(size.try_into().ok()?)).ok()?;
    let outside = bytes.len().checked_sub(size)?..bytes.len().checked_sub(MARK)?;
    (bytes.get(outside.end..)? == mark && outside.start < outside.end).then_some(outside)
}

/// Returns the part of the file that is mapped to these addresses.
fn in_file(file: &ElfFile64<Endianness>, start: u64, end: u64) -> Option<Range<usize>> {
    let endian = file.endian();
    file.elf_program_headers().iter().filter(|segment| segment.p_type(endian) == PT_LOAD).find_map(
        |segment| {
            let (from, length) = (segment.p_vaddr(endian), segment.p_filesz(endian));
            let (first, last) = (start.checked_sub(from)?, end.checked_sub(from)?);
            let offset = |within: u64| usize::try_from(segment.p_offset(endian).checked_add(within)?).ok();
            (first <= last && last <= length).then_some(offset(first)?..offset(last)?)
        },
    )
}
