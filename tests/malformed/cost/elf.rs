//! Shared libraries written by hand: a dynamic section and a dynamic symbol table, without loadable
//! segments.

/// Contents of a library.
#[derive(Clone, Default)]
pub struct Elf {
    /// String table. Names are offsets in it.
    pub strings: Vec<u8>,
    /// Name offsets of imported functions.
    pub calls: Vec<u32>,
    /// Name offsets of exported functions.
    pub offers: Vec<u32>,
    /// Name offsets of required libraries.
    pub needs: Vec<u64>,
    /// Program headers: kind and flags.
    pub headers: Vec<(u32, u32)>,
}

const HEADER: usize = 64;
const PROGRAM_HEADER: usize = 56;
const SECTION_HEADER: usize = 64;

const SHT_STRTAB: u32 = 3;
const SHT_DYNAMIC: u32 = 6;
const SHT_DYNSYM: u32 = 11;
const DT_NEEDED: u64 = 1;
const GLOBAL_FUNCTION: u8 = 0x12;

impl Elf {
    /// Returns the bytes of the file.
    pub fn write(&self) -> Vec<u8> {
        let symbols: Vec<u8> = [symbol(0, 0)]
            .into_iter()
            .chain(self.calls.iter().map(|name| symbol(*name, 0)))
            .chain(self.offers.iter().map(|name| symbol(*name, 1)))
            .flatten()
            .collect();
        let needs = self.needs.iter().map(|name| (DT_NEEDED, *name)).chain([(0, 0)]);
        let dynamic: Vec<u8> =
            needs.flat_map(|(tag, value)| [tag.to_le_bytes(), value.to_le_bytes()].concat()).collect();
        let bodies =
            [(SHT_STRTAB, &self.strings, 0u64), (SHT_DYNSYM, &symbols, 24), (SHT_DYNAMIC, &dynamic, 16)];
        let start = HEADER + PROGRAM_HEADER * self.headers.len();
        let sections = bodies.iter().fold(start, |at, (_, body, _)| (at + body.len()).next_multiple_of(8));
        let mut file = self.header(sections as u64);
        for (kind, flags) in &self.headers {
            file.extend([kind.to_le_bytes(), flags.to_le_bytes()].concat());
            file.extend([0; PROGRAM_HEADER - 8]);
        }
        let mut table = vec![0; SECTION_HEADER];
        for (kind, body, item) in bodies {
            table.extend(section(kind, file.len() as u64, body.len() as u64, item));
            file.extend(body);
            file.resize(file.len().next_multiple_of(8), 0);
        }
        file.extend(table);
        file
    }

    fn header(&self, sections: u64) -> Vec<u8> {
        let mut header = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
        let machine: u16 = if cfg!(target_arch = "aarch64") { 183 } else { 62 };
        header.extend([3u16.to_le_bytes(), machine.to_le_bytes()].concat());
        header.extend(1u32.to_le_bytes());
        header.extend([0, HEADER as u64, sections].map(u64::to_le_bytes).concat());
        header.extend(0u32.to_le_bytes());
        let counts =
            [HEADER as u16, PROGRAM_HEADER as u16, self.headers.len() as u16, SECTION_HEADER as u16, 4, 1];
        header.extend(counts.map(u16::to_le_bytes).concat());
        header
    }
}

fn symbol(name: u32, section: u16) -> Vec<u8> {
    let mut symbol = name.to_le_bytes().to_vec();
    symbol.extend([GLOBAL_FUNCTION, 0]);
    symbol.extend(section.to_le_bytes());
    symbol.extend([0; 16]);
    symbol
}

/// All tables share the string table, which is section 1.
fn section(kind: u32, offset: u64, size: u64, item: u64) -> Vec<u8> {
    let mut header = [0u32, kind].map(u32::to_le_bytes).concat();
    header.extend([0u64, 0, offset, size].map(u64::to_le_bytes).concat());
    header.extend([u32::from(kind != SHT_STRTAB), 0].map(u32::to_le_bytes).concat());
    header.extend([8u64, item].map(u64::to_le_bytes).concat());
    header
}
