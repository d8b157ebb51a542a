//! Header of a shared library, read because the dynamic loader reports a file for another processor
//! as one that does not exist (`open_verify` in elf/dl-load.c of glibc 2.36).

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Up to `e_machine` (System V ABI, chapter 4).
const BYTES: usize = 20;
const MACHINE: usize = 18;

/// Fails if a file is no shared library for the processor of this process.
pub fn check(path: &Path) -> Result<(), String> {
    let mut file = File::open(path).map_err(|error| format!("cannot be opened: {error}"))?;
    let mut header = [0; BYTES];
    let read = file.read_exact(&mut header);
    if read.is_err() || !header.starts_with(b"\x7fELF") {
        return Err("is damaged: it is no ELF file; install it again".into());
    }
    let machine = u16::from_ne_bytes([header[MACHINE], header[MACHINE + 1]]);
    if machine == OWN {
        return Ok(());
    }
    Err(format!("is for {}, and this process is for {}", name_of(machine), name_of(OWN)))
}

#[cfg(target_arch = "x86_64")]
const OWN: u16 = libc::EM_X86_64;
#[cfg(target_arch = "aarch64")]
const OWN: u16 = libc::EM_AARCH64;

fn name_of(machine: u16) -> String {
    match machine {
        libc::EM_X86_64 => "x86-64".into(),
        libc::EM_AARCH64 => "aarch64".into(),
        machine => format!("another processor (ELF machine {machine})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(name: &str, change: impl Fn(&mut Vec<u8>)) -> Result<(), String> {
        let mut bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        bytes.truncate(64);
        change(&mut bytes);
        let path = std::env::temp_dir().join(format!("pt2-{}-{name}", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        let result = check(&path);
        std::fs::remove_file(&path).unwrap();
        result
    }

    #[test]
    fn files_of_this_processor_only() {
        assert_eq!(checked("own", |_| {}), Ok(()));
        let other =
            checked("other", |bytes| bytes[MACHINE..MACHINE + 2].copy_from_slice(&8u16.to_ne_bytes()));
        assert!(other.unwrap_err().contains("another processor (ELF machine 8)"));
        assert!(checked("short", |bytes| bytes.truncate(8)).unwrap_err().contains("damaged"));
        assert!(checked("text", |bytes| bytes[0] = b'x').unwrap_err().contains("damaged"));
        assert!(check(Path::new("/nowhere")).is_err());
    }
}
