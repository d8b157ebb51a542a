//! Reads tensors from files that `torch.save` wrote, without executing the pickle's calls.
//!
//! Owns: the opcodes, names and calls that describe plain tensors. All others are rejected by name.
//!
//! Input: the zip of one such file.
//!
//! Output: names with dtype, sizes, strides and storage slice, each checked to stay inside that
//! slice. Values are rows of flat tables: there is no recursion, and memory is proportional to the
//! file.
#![deny(clippy::indexing_slicing)]

mod globals;
mod machine;
mod pickle_bytes;
mod rebuild;
mod saved_file;
mod stack;
mod value;

use super::extent::fits;
use crate::archive::{Slice, ZipFile};
use crate::program::schema::ScalarType;
use crate::{Error, Result};
use pickle_bytes::PickleBytes;
use saved_file::SavedFile;
use std::collections::HashSet;
use value::{Heap, MemoryBudget, PickleValue};

/// A stored tensor: a view into a storage.
#[derive(Clone, Debug)]
pub struct SavedTensor {
    /// The key in the file's dictionary. Empty for a file that holds a single tensor.
    pub name: String,
    /// The element type.
    pub dtype: ScalarType,
    /// The sizes.
    pub sizes: Vec<i64>,
    /// The strides, in elements.
    pub strides: Vec<i64>,
    /// The position of the first element in the storage, in elements.
    pub offset: i64,
    /// The whole storage. Tensors that share a storage share the slice.
    pub storage: Slice,
    /// The tensor's `requires_grad`.
    pub requires_grad: bool,
}

/// Reads the tensors of a file that holds a dictionary of tensors, in the order of the dictionary.
pub fn read_tensors(file: &ZipFile) -> Result<Vec<SavedTensor>> {
    let mut reader = SavedFileReader::open(file)?;
    let PickleValue::Dict(number) = reader.top else {
        return Err(
            reader.refuse(format!("it holds {}, a dictionary of tensors is needed", reader.top.kind()))
        );
    };
    let mut seen = HashSet::new();
    let mut tensors = Vec::new();
    for index in 0..reader.heap.entries(number).len() {
        let Some((key, value)) = reader.heap.entries(number).get(index).copied() else { break };
        let tensor = reader.entry(key, value)?;
        if !seen.insert(tensor.name.clone()) {
            return Err(Error::Weight { name: tensor.name, reason: "it is in the dictionary twice".into() });
        }
        tensors.push(tensor);
    }
    Ok(tensors)
}

/// Reads a file that holds one tensor or parameter and nothing else.
pub fn read_tensor(file: &ZipFile) -> Result<SavedTensor> {
    let mut reader = SavedFileReader::open(file)?;
    reader.tensor("", reader.top)
}

/// A file and the result of its pickle.
struct SavedFileReader<'a> {
    file: SavedFile<'a>,
    pickle: Slice,
    heap: Heap,
    top: PickleValue,
}

/// Memory budget for small files. Larger files may use four times their size.
const LEAST_BUDGET: usize = 4 << 20;

impl<'a> SavedFileReader<'a> {
    fn open(container: &'a ZipFile) -> Result<SavedFileReader<'a>> {
        let file = SavedFile::open(container)?;
        let pickle = file.pickle()?;
        let size = usize::try_from(container.size()).unwrap_or(usize::MAX);
        let budget = MemoryBudget(size.saturating_mul(4).max(LEAST_BUDGET));
        let ran = PickleBytes::new(pickle.bytes()).and_then(|mut code| {
            let ran = machine::run(&mut code, budget)?;
            if code.at() < pickle.bytes().len() { Err("bytes after STOP".to_owned()) } else { Ok(ran) }
        });
        let (heap, top) = ran.map_err(|reason| archive_error(file.pickle_name(), reason))?;
        Ok(SavedFileReader { file, pickle, heap, top })
    }

    fn refuse(&self, reason: String) -> Error {
        archive_error(self.file.pickle_name(), reason)
    }

    fn text(&self, value: PickleValue) -> Result<String, String> {
        let PickleValue::Text(piece) = value else { return Err(format!("a key is {}", value.kind())) };
        PickleBytes::new(self.pickle.bytes())?.text(piece).map(str::to_owned)
    }

    fn entry(&mut self, key: PickleValue, value: PickleValue) -> Result<SavedTensor> {
        let name = self.text(key).map_err(|reason| self.refuse(reason))?;
        self.tensor(&name, value)
    }

    fn tensor(&mut self, name: &str, value: PickleValue) -> Result<SavedTensor> {
        let bad = |reason: String| Error::Weight { name: name.to_owned(), reason };
        let PickleValue::Tensor(number) = value else {
            return Err(bad(format!("it is {}, not a tensor", value.kind())));
        };
        let tensor = self.heap.tensor_at(number).map_err(bad)?;
        let key = self.text(PickleValue::Text(tensor.storage.key)).map_err(bad)?;
        let storage = self.file.storage(&key)?;
        let stored = storage.bytes().len() as u64;
        if stored != tensor.storage.bytes {
            let announced = tensor.storage.bytes;
            return Err(bad(format!("its storage `{key}` has {stored} bytes, {announced} are announced")));
        }
        let (sizes, strides) =
            (self.integers(tensor.sizes).map_err(bad)?, self.integers(tensor.strides).map_err(bad)?);
        fits(tensor.dtype, &sizes, &strides, tensor.offset, stored).map_err(bad)?;
        let (name, dtype, offset, requires_grad) =
            (name.to_owned(), tensor.dtype, tensor.offset, tensor.requires_grad);
        Ok(SavedTensor { name, dtype, sizes, strides, offset, storage, requires_grad })
    }

    /// Copies sizes or strides out of the heap, charged to the budget because many names may share
    /// one long tuple.
    fn integers(&mut self, run: value::RowRange) -> Result<Vec<i64>, String> {
        let len = self.heap.items(run).len();
        self.heap.budget().spend(size_of::<SavedTensor>() + len * size_of::<i64>())?;
        let integer = |item: &PickleValue| match item {
            PickleValue::Int(number) => Ok(*number),
            other => Err(format!("{} among its sizes or strides", other.kind())),
        };
        self.heap.items(run).iter().map(integer).collect()
    }
}

fn archive_error(entry: String, reason: String) -> Error {
    Error::Archive { entry: Some(entry), reason }
}
