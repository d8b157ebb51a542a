//! Writes pickles opcode by opcode, and the zip around them.

use crate::archive_builder::Zip;
use pt2_format::Result;
use pt2_format::archive::{ReadOptions, ZipFile};
use pt2_format::weights::pickle::{SavedTensor, read_tensor, read_tensors};

pub fn container(entries: &[(&str, &[u8])]) -> ZipFile {
    ZipFile::from_bytes(Zip::plain(entries).write(), &ReadOptions::default()).unwrap()
}

/// A file with this pickle and one storage `0` of 24 bytes.
pub fn saved(pickle: &[u8]) -> ZipFile {
    let storage: Vec<u8> = (0..24).collect();
    container(&[("a/data.pkl", pickle), ("a/byteorder", b"little"), ("a/data/0", &storage)])
}

/// Reads a dictionary of tensors.
pub fn read(pickle: &[u8]) -> Result<Vec<SavedTensor>> {
    read_tensors(&saved(pickle))
}

/// Reads a lone tensor from the opcodes between PROTO and STOP.
pub fn read_one(body: &[u8]) -> Result<SavedTensor> {
    read_tensor(&saved(&pickle(body)))
}

pub fn refusal(body: &[u8]) -> String {
    read_one(body).expect_err("it was read").to_string()
}

/// PROTO, the opcodes, STOP.
pub fn pickle(body: &[u8]) -> Vec<u8> {
    [b"\x80\x02", body, b"."].concat()
}

pub fn global(module: &str, name: &str) -> Vec<u8> {
    format!("c{module}\n{name}\n").into_bytes()
}

pub fn text(text: &str) -> Vec<u8> {
    [b"X", &(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat()
}

pub fn int(value: i64) -> Vec<u8> {
    [b"\x8a\x08", &value.to_le_bytes()[..]].concat()
}

/// Returns a tuple of the values that other opcodes push.
pub fn tuple(items: &[Vec<u8>]) -> Vec<u8> {
    [b"(", &items.concat()[..], b"t"].concat()
}

pub fn ints(items: &[i64]) -> Vec<u8> {
    tuple(&items.iter().map(|item| int(*item)).collect::<Vec<_>>())
}

pub fn reduce(callable: Vec<u8>, arguments: &[Vec<u8>]) -> Vec<u8> {
    [callable, tuple(arguments), b"R".to_vec()].concat()
}

pub fn hooks() -> Vec<u8> {
    reduce(global("collections", "OrderedDict"), &[])
}

/// A storage of this type with the key `0`.
pub fn storage(module: &str, name: &str, count: i64) -> Vec<u8> {
    let id = tuple(&[text("storage"), global(module, name), text("0"), text("cpu"), int(count)]);
    [id, b"Q".to_vec()].concat()
}

pub fn float_storage() -> Vec<u8> {
    storage("torch", "FloatStorage", 6)
}

pub fn no() -> Vec<u8> {
    b"\x89".to_vec()
}

/// `_rebuild_tensor_v2` over the storage of six floats.
pub fn view(sizes: &[i64], strides: &[i64], offset: i64) -> Vec<u8> {
    let arguments = [float_storage(), int(offset), ints(sizes), ints(strides), no(), hooks()];
    reduce(global("torch._utils", "_rebuild_tensor_v2"), &arguments)
}
