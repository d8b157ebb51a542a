//! Whether a library asks the dynamic loader to make the stacks of the process executable, and the edit that takes
//! that back. AOTInductor's code never executes its stack; what asks is the assembler's output for embedded constants.

use object::Endianness;
use object::elf::{PF_R, PF_W, PF_X, PT_GNU_STACK, PT_NOTE, PT_NULL, ProgramHeader64};
use object::read::elf::{ElfFile64, ProgramHeader};

/// What a library says of stacks. The dynamic loader takes silence for a wish to execute them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ExecStack {
    /// It executes none.
    #[default]
    Plain,
    /// It executes none after these edits of its file: where, and which bytes.
    Edits(Vec<(usize, [u8; 4])>),
    /// It is silent, and no program header can be spared to say it.
    Silent,
}

/// Where in a program header its kind and its flags are.
const KIND: usize = 0;
const FLAGS: usize = 4;

/// Reads the mark. Headers that only inform, which the dynamic loader can do without, become the mark where there is
/// none.
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
