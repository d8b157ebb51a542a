//! Refuses libraries in which an edit of the program headers or the dynamic section would change
//! another part of the file.

use object::Endianness;
use object::elf::{self, SectionHeader64};
use object::read::elf::{ElfFile64, FileHeader, SectionHeader};
use std::ops::Range;

/// Fails if the program headers or the dynamic section share bytes with another part.
pub fn require_own_bytes(file: &ElfFile64<Endianness>) -> Result<(), String> {
    let (endian, header, sections) = (file.endian(), file.elf_header(), file.elf_section_table());
    let tables = [
        part(0, size_of_val(header)),
        part(header.e_phoff(endian), size_of_val(file.elf_program_headers())),
        part(header.e_shoff(endian), sections.len() * size_of::<SectionHeader64<Endianness>>()),
    ];
    let body = |section: &SectionHeader64<Endianness>| match section.sh_type(endian) {
        elf::SHT_NULL | elf::SHT_NOBITS => 0..0,
        _ => part(section.sh_offset(endian), section.sh_size(endian) as usize),
    };
    let dynamic = sections.iter().position(|section| section.sh_type(endian) == elf::SHT_DYNAMIC);
    let edited = [Some(1), dynamic.map(|at| tables.len() + at)];
    let parts: Vec<_> = tables.into_iter().chain(sections.iter().map(body)).collect();
    let shares = |at: usize| {
        let own = parts.get(at).cloned().unwrap_or_default();
        parts.iter().enumerate().any(|(other, range)| other != at && overlap(&own, range))
    };
    if edited.into_iter().flatten().any(shares) {
        return Err("its program headers or its dynamic section share bytes with another part".into());
    }
    Ok(())
}

fn part(offset: u64, size: usize) -> Range<u64> {
    offset..offset.saturating_add(size as u64)
}

fn overlap(a: &Range<u64>, b: &Range<u64>) -> bool {
    a.start.max(b.start) < a.end.min(b.end)
}
