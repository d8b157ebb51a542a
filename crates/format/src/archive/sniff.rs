//! Sniffs the format of a file that is not a `.pt2` archive, for error messages only.

use super::le_reader::LeReader;

const END_LENGTH: usize = 22;

/// Returns the reason for rejecting bytes that have no end record at their end.
pub(super) fn not_a_zip(bytes: &[u8]) -> String {
    match format_of(bytes) {
        Some("zip") if ends_early(bytes) => {
            "it has bytes after the zip's end record, or a comment in it".into()
        }
        Some("zip") => "it starts as a zip does but the end record is missing: the file is cut short".into(),
        Some(format) => format!("it is no zip; it looks like {format}"),
        None => "it is no zip: the end record is missing".into(),
    }
}

fn format_of(bytes: &[u8]) -> Option<&'static str> {
    const STARTS: [(&[u8], &str); 11] = [
        (b"PK\x03\x04", "zip"),
        (b"version https://git-lfs", "a Git LFS pointer; fetch the real file with `git lfs pull`"),
        (b"<", "an HTML or XML page"),
        (b"{", "JSON"),
        (b"\x80\x02\x8a\x0al\xfc\x9cF", "a torch.save file of before PyTorch 1.6"),
        (b"\x80", "a Python pickle"),
        (b"GGUF", "a GGUF model"),
        (b"\x89HDF", "an HDF5 file"),
        (b"\x1f\x8b", "a gzip file"),
        (b"\x7fELF", "a shared library"),
        (b"\x93NUMPY", "a NumPy array"),
    ];
    let known = STARTS.iter().find(|(start, _)| bytes.starts_with(start)).map(|(_, format)| *format);
    known.or_else(|| by_later_bytes(bytes))
}

fn by_later_bytes(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [_, _, _, _, b'E', b'T', ..] => Some("an ExecuTorch program"),
        [_, _, _, _, _, _, 0, 0, b'{', ..] => Some("a safetensors file"),
        _ => None,
    }
}

/// Returns true if a whole zip ends before the end of the file, within the reach of the longest
/// comment.
fn ends_early(bytes: &[u8]) -> bool {
    let reach = bytes.len().saturating_sub(END_LENGTH + 0xffff);
    let tail = bytes.get(reach..).unwrap_or_default();
    tail.windows(END_LENGTH).enumerate().any(|(at, record)| is_end(record, reach + at))
}

/// Returns true if an end record at `at` belongs to a zip that began with the file. Zips inside
/// entries have end records too.
fn is_end(record: &[u8], at: usize) -> bool {
    const WIDE_RECORDS: u64 = 56 + 20;
    let mut fields = LeReader::new(record);
    let claim = fields.signature(b"PK\x05\x06").and_then(|()| fields.bytes(8));
    let Some((size, offset)) = claim.and_then(|_| Some((fields.u32()?, fields.u32()?))) else { return false };
    let distance = (at as u64).wrapping_sub(u64::from(size) + u64::from(offset));
    offset == u32::MAX || distance == 0 || distance == WIDE_RECORDS
}

/// Returns the reason for rejecting a valid zip without a program.
pub(super) fn not_a_program<'a>(names: impl Iterator<Item = &'a str> + Clone) -> String {
    format!("it is a zip but no .pt2 archive; {}", kind_of(names))
}

fn kind_of<'a>(names: impl Iterator<Item = &'a str> + Clone) -> &'static str {
    let has = |wanted: &dyn Fn(&str) -> bool| names.clone().any(wanted);
    match () {
        () if has(&|name| name.contains("/code/") && name.ends_with(".py")) => "it looks like TorchScript",
        () if has(&|name| name.ends_with("/bytecode.pkl")) => "it looks like a TorchScript mobile model",
        () if has(&|name| name.ends_with(".data/extern_modules")) => "it looks like a torch.package file",
        () if has(&|name| name.ends_with("/data.pkl")) => "it looks like a torch.save file",
        () if has(&|name| name.contains("data/executorch/")) => "it looks like an ExecuTorch package",
        () if has(&|name| name.ends_with(".npy")) => "it looks like a NumPy .npz file",
        () => "it holds neither `serialized_exported_program.json` nor `<folder>/models/<name>.json`",
    }
}
