//! Detects libraries that ask for executable stacks, and the edits that withdraw the request.
//!
//! AOTInductor's code never executes its stack. The request is a side effect of the assembler
//! output for embedded constants.

use object::Endianness;
use object::elf::{PF_R, PF_W, PF_X, PT_GNU_STACK, PT_NOTE, PT_NULL, ProgramHeader64};
use object::read::elf::{ElfFile64, ProgramHeader};

/// A library's request for executable stacks. The dynamic loader treats a missing mark as a
/// request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ExecStack {
    /// The library does not ask for executable stacks.
    #[default]
    Plain,
    /// The library does not ask for them after these edits of its file, as offsets and bytes.
    Edits(Vec<(usize, [u8; 4])>),
    /// The library has no mark, and no program header that could be replaced by one.
    Silent,
}

/// Offsets of the type and the flags in a program header.
const KIND: usize = 0;
const FLAGS: usize = 4;

/// Reads the stack mark (`PT_GNU_STACK`). If there is none, replaces a header that the dynamic
/// loader does not need.
pub fn exec_stack(file: &ElfFile64<Endianness>, bytes: &[u8]) -> ExecStack {
    let endian = file.endian();
    let at = |header: &ProgramHeader64<Endianness>| std::ptr::from_ref(header).addr() - bytes.as_ptr().addr();
    let number = |value: u32| match endian {
        Endianness::Little => value.to_le_bytes(),
        Endianness::Big => value.to_be_bytes(),
    };
    let plain = number(PF_R | PF_W);
    let headers = file.elf_program_headers();
    let marks = || headers.iter().filter(|header| header.p_type(endian) == PT_GNU_STACK);
    let executed = marks().filter(|header| header.p_flags(endian) & PF_X != 0);
    let edits: Vec<_> = executed.map(|header| (at(header) + FLAGS, plain)).collect();
    if marks().next().is_some() {
        return if edits.is_empty() { ExecStack::Plain } else { ExecStack::Edits(edits) };
    }
    let spare = |kind| headers.iter().find(|header| header.p_type(endian) == kind);
    match spare(PT_NULL).or_else(|| spare(PT_NOTE)) {
        Some(header) => {
            ExecStack::Edits(vec![(at(header) + KIND, number(PT_GNU_STACK)), (at(header) + FLAGS, plain)])
        }
        None => ExecStack::Silent,
    }
}
