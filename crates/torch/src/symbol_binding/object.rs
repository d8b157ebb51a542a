//! Loaded library as the dynamic loader sees it: its symbols, and its slots for calls and data.
//!
//! Structures and numbers are those of `elf.h` in glibc 2.36. Relocations are those of each
//! processor's psABI.

use libc::{Elf64_Phdr, Elf64_Rela, Elf64_Sym, c_char, c_int, c_void, dl_phdr_info};
use std::ffi::CStr;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

#[cfg(target_arch = "x86_64")]
mod relocation {
    pub const ABSOLUTE: u32 = 1;
    pub const COPY: u32 = 5;
    pub const DATA_SLOT: u32 = 6;
    pub const CALL_SLOT: u32 = 7;
}

#[cfg(target_arch = "aarch64")]
mod relocation {
    pub const ABSOLUTE: u32 = 257;
    pub const COPY: u32 = 1024;
    pub const DATA_SLOT: u32 = 1025;
    pub const CALL_SLOT: u32 = 1026;
}

const DT_STRTAB: i64 = 5;
const DT_SYMTAB: i64 = 6;
const DT_RELA: i64 = 7;
const DT_RELASZ: i64 = 8;
const DT_JMPREL: i64 = 23;
const DT_PLTRELSZ: i64 = 2;
const DT_GNU_HASH: i64 = 0x6fff_fef5;
const DT_RELACOUNT: i64 = 0x6fff_fff9;
const STT_OBJECT: u8 = 1;
const STT_FUNC: u8 = 2;
const STB_GLOBAL: u8 = 1;

/// Number of names that are read together.
const NAMES_AT_ONCE: usize = 64;

/// Library or program. It must never be unloaded.
#[derive(Clone, Debug)]
pub struct Object {
    /// Path; empty for the program.
    pub name: String,
    base: usize,
    /// Addresses from the first segment to the end of the last.
    pub span: Range<usize>,
    /// Addresses that are read-only after relocation.
    read_only: Range<usize>,
    symbols: *const Elf64_Sym,
    strings: *const c_char,
    /// GNU hash table; NULL if the linker wrote none.
    hash: *const u32,
    /// Relocations without the leading relative ones, which have no symbol.
    eager: Table,
    lazy: Table,
}

#[derive(Clone, Copy, Debug)]
struct Table {
    first: *const Elf64_Rela,
    count: usize,
}

/// Place that holds the address of a symbol.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    place: usize,
    /// Offset added to the symbol's address.
    addend: usize,
    symbol: *const Elf64_Sym,
}

/// Strong symbol that a library itself defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// Function at this address.
    Function(usize),
    /// Data at this address.
    Data(usize),
}

impl Object {
    /// Returns every loaded object, the program first.
    pub fn all() -> Vec<Object> {
        let mut all: Vec<Object> = Vec::new();
        // SAFETY: `collect` takes a vector of objects as context, and is called only before this
        // call returns.
        unsafe { libc::dl_iterate_phdr(Some(collect), (&raw mut all).cast()) };
        all
    }

    /// Returns the file name without its folder.
    pub fn file_name(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or_default()
    }

    /// Returns the slots that refer outside of this library, and those of C functions whose symbol
    /// is looked up on first call.
    pub fn outgoing_slots(&self) -> impl Iterator<Item = Slot> + '_ {
        let leads_out = |slot: &Slot| !self.span.contains(&slot.leads_to());
        self.slots_of(self.eager.entries()).filter(leads_out).chain(self.lazy_c_slots())
    }

    /// Reads the first letters of many names before it compares any. The names are far apart in
    /// memory, and the processor overlaps reads without branches between them.
    fn lazy_c_slots(&self) -> impl Iterator<Item = Slot> + '_ {
        self.lazy.entries().chunks(NAMES_AT_ONCE).flat_map(|entries| {
            let mut letters = [0; NAMES_AT_ONCE];
            let slots = || self.slots_of(entries);
            // SAFETY: a name has at least its final NUL.
            slots().zip(&mut letters).for_each(|(slot, letter)| *letter = unsafe { *self.name_start(&slot) });
            let is_c = |(slot, letter): &(Slot, c_char)| *letter != b'_' as c_char || !self.is_cpp(slot);
            slots().zip(letters).filter(is_c).map(|(slot, _)| slot)
        })
    }

    /// Returns every slot that holds a symbol's address.
    pub fn slots(&self) -> impl Iterator<Item = Slot> + '_ {
        self.slots_of(self.eager.entries()).chain(self.slots_of(self.lazy.entries()))
    }

    fn slots_of<'a>(&'a self, entries: &'a [Elf64_Rela]) -> impl Iterator<Item = Slot> + 'a {
        entries.iter().filter_map(|entry| {
            let (kind, index) = (entry.r_info as u32, (entry.r_info >> 32) as usize);
            let addend = match kind {
                relocation::CALL_SLOT | relocation::DATA_SLOT => 0,
                relocation::ABSOLUTE if index != 0 => entry.r_addend as usize,
                _ => return None,
            };
            // SAFETY: the linker wrote the index, which is in the symbol table of the same library.
            let symbol = unsafe { self.symbols.add(index) };
            Some(Slot { place: self.base.wrapping_add(entry.r_offset as usize), addend, symbol })
        })
    }

    /// Returns true if the program holds a copy of another library's data at the address
    /// (`-no-pie`, COPY relocations).
    pub fn has_copy_at(&self, address: usize) -> bool {
        let is_copy = |entry: &&Elf64_Rela| {
            entry.r_info as u32 == relocation::COPY && self.base + entry.r_offset as usize == address
        };
        self.eager.entries().iter().any(|entry| is_copy(&entry))
    }

    /// Returns this library's own definition of the slot's symbol.
    ///
    /// None for symbols of other libraries, and for weak ones, which libraries share.
    pub fn own(&self, slot: &Slot) -> Option<Own> {
        // SAFETY: the symbol is in this library's table, which is never unmapped.
        let symbol = unsafe { &*slot.symbol };
        self.strong(symbol)
    }

    fn strong(&self, symbol: &Elf64_Sym) -> Option<Own> {
        let address = self.base.wrapping_add(symbol.st_value as usize);
        match (symbol.st_shndx, symbol.st_info >> 4, symbol.st_info & 0xf) {
            (1.., STB_GLOBAL, STT_FUNC) => Some(Own::Function(address)),
            (1.., STB_GLOBAL, STT_OBJECT) => Some(Own::Data(address)),
            _ => None,
        }
    }

    /// Returns the function of this name that the library defines and exports.
    pub fn function(&self, name: &CStr) -> Option<usize> {
        let hash = name
            .to_bytes()
            .iter()
            .fold(5381u32, |hash, byte| hash.wrapping_mul(33).wrapping_add(u32::from(*byte)));
        if self.hash.is_null() {
            return None;
        }
        // SAFETY: the linker wrote the table (https://flapenguin.me/elf-dt-gnu-hash) and keeps its
        // indices in range. It has four words, the Bloom filter, and the first symbol of each
        // bucket's chain. Then it has a word for each hashed symbol, whose last bit ends a chain.
        unsafe {
            let [buckets, first, words, shift] = *self.hash.cast::<[u32; 4]>();
            let filter = self.hash.add(4).cast::<u64>();
            let word = *filter.add((hash / 64 % words) as usize);
            if word >> (hash % 64) & word >> ((hash >> shift) % 64) & 1 == 0 {
                return None;
            }
            let starts = filter.add(words as usize).cast::<u32>();
            let chains = starts.add(buckets as usize);
            let mut index = *starts.add((hash % buckets) as usize);
            while index >= first {
                let chained = *chains.add((index - first) as usize);
                let symbol = &*self.symbols.add(index as usize);
                if chained | 1 == hash | 1
                    && CStr::from_ptr(self.strings.add(symbol.st_name as usize)) == name
                    && let Some(Own::Function(address)) = self.strong(symbol)
                {
                    return Some(address);
                }
                if chained & 1 == 1 {
                    return None;
                }
                index += 1;
            }
            None
        }
    }

    /// Returns the name of the slot's symbol if another library defines it.
    pub fn foreign(&self, slot: &Slot) -> Option<&'static CStr> {
        // SAFETY: the symbol is in this library's table, which is never unmapped.
        let is_foreign = unsafe { (*slot.symbol).st_shndx } == 0;
        is_foreign.then(|| self.name_of(slot))
    }

    /// Returns the name of the slot's symbol.
    pub fn name_of(&self, slot: &Slot) -> &'static CStr {
        // SAFETY: the string is NUL-terminated and never unmapped.
        unsafe { CStr::from_ptr(self.name_start(slot)) }
    }

    /// Returns true if the slot's symbol has a mangled C++ name. Reads two bytes of the name only.
    pub fn is_cpp(&self, slot: &Slot) -> bool {
        let name = self.name_start(slot);
        // SAFETY: the second byte is read only if the first is not NUL.
        unsafe { *name == b'_' as c_char && *name.add(1) == b'Z' as c_char }
    }

    fn name_start(&self, slot: &Slot) -> *const c_char {
        // SAFETY: the symbol is in this library's table, and its name in the string table beside
        // it. Neither is ever unmapped.
        unsafe { self.strings.add((*slot.symbol).st_name as usize) }
    }

    /// Writes an address to the slot. Fails if the system does not allow it.
    pub fn write(&self, slot: &Slot, address: usize) -> Result<(), String> {
        let value = address.wrapping_add(slot.addend);
        if slot.read() == value {
            return Ok(());
        }
        let is_protected = self.read_only.contains(&slot.place);
        if is_protected {
            protect(slot.place, libc::PROT_READ | libc::PROT_WRITE)?;
        }
        slot.as_atomic().store(value, Ordering::Release);
        if is_protected { protect(slot.place, libc::PROT_READ) } else { Ok(()) }
    }
}

impl Slot {
    /// Returns the contents of the slot.
    pub fn read(&self) -> usize {
        self.as_atomic().load(Ordering::Acquire)
    }

    /// Returns the address that the slot leads to, without the addend.
    pub fn leads_to(&self) -> usize {
        self.read().wrapping_sub(self.addend)
    }

    fn as_atomic(&self) -> &AtomicUsize {
        // SAFETY: the dynamic loader wrote an address to this aligned place, which is never
        // unmapped. Compiled code reads it with one load.
        unsafe { &*(self.place as *const AtomicUsize) }
    }
}

impl Table {
    fn entries(&self) -> &'static [Elf64_Rela] {
        if self.count == 0 {
            return &[];
        }
        // SAFETY: the linker wrote this number of entries, which are never unmapped or changed.
        unsafe { std::slice::from_raw_parts(self.first, self.count) }
    }
}

fn protect(address: usize, access: c_int) -> Result<(), String> {
    // SAFETY: the call takes a number.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
    let start = (address & !(page - 1)) as *mut c_void;
    // SAFETY: the page holds relocated data of a loaded library, and no code shares the page.
    match unsafe { libc::mprotect(start, page, access) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error().to_string()),
    }
}

unsafe extern "C" fn collect(info: *mut dl_phdr_info, _: usize, all: *mut c_void) -> c_int {
    // SAFETY: `Object::all` passes its vector, and the dynamic loader a valid description.
    unsafe { (*all.cast::<Vec<Object>>()).extend(object(&*info)) };
    0
}

/// # Safety
/// `info` is the dynamic loader's description of a mapped object.
unsafe fn object(info: &dl_phdr_info) -> Option<Object> {
    let base = info.dlpi_addr as usize;
    // SAFETY: the dynamic loader keeps the headers as long as the object is loaded.
    let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
    let range = |header: &Elf64_Phdr| {
        let start = base.wrapping_add(header.p_vaddr as usize);
        start..start.wrapping_add(header.p_memsz as usize)
    };
    let of = |kind: u32| headers.iter().filter(move |header| header.p_type == kind).map(range);
    let (first, last) = (of(libc::PT_LOAD).map(|r| r.start).min()?, of(libc::PT_LOAD).map(|r| r.end).max()?);
    let dynamic = of(libc::PT_DYNAMIC).next()?.start as *const [i64; 2];
    let entry = |tag: i64| {
        // SAFETY: the dynamic section ends with an entry of tag 0, where the iteration stops.
        let mut entries = (0..).map(|at| unsafe { *dynamic.add(at) }).take_while(|entry| entry[0] != 0);
        entries.find(|entry| entry[0] == tag).map(|entry| entry[1] as usize)
    };
    // glibc adds the base to addresses in the section, musl does not.
    let address = |tag| entry(tag).map(|value| if value < base { value + base } else { value });
    let table = |start, size, skipped: usize| {
        let first = address(start).unwrap_or(0) as *const Elf64_Rela;
        let count = entry(size).unwrap_or(0) / size_of::<Elf64_Rela>();
        Table { first: first.wrapping_add(skipped), count: count.saturating_sub(skipped) }
    };
    // SAFETY: the dynamic loader passes NULL or a NUL-terminated string.
    let name = unsafe { info.dlpi_name.as_ref().map(|name| CStr::from_ptr(name)) };
    Some(Object {
        name: name.unwrap_or_default().to_string_lossy().into_owned(),
        base,
        span: first..last,
        read_only: of(libc::PT_GNU_RELRO).next().unwrap_or(0..0),
        symbols: address(DT_SYMTAB)? as *const Elf64_Sym,
        strings: address(DT_STRTAB)? as *const c_char,
        hash: address(DT_GNU_HASH).unwrap_or(0) as *const u32,
        eager: table(DT_RELA, DT_RELASZ, entry(DT_RELACOUNT).unwrap_or(0)),
        lazy: table(DT_JMPREL, DT_PLTRELSZ, 0),
    })
}
