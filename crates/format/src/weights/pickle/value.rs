//! Values that a pickle can build: plain data, and descriptions of storages and tensors.
//!
//! Values are rows of flat tables, referenced by number. No chain of values is therefore followed
//! or dropped recursively. All memory is charged to a budget before it is allocated.

use super::globals::Global;
use super::pickle_bytes::Piece;
use crate::program::schema::ScalarType;

/// A value on the stack. It is small and `Copy`: text is a piece of the pickle, the rest are row
/// numbers.
#[derive(Copy, Clone, Debug)]
pub enum PickleValue {
    None,
    Bool(bool),
    Int(i64),
    Float,
    Text(Piece),
    Tuple(RowRange),
    List(u32),
    Dict(u32),
    Global(Global),
    Storage(u32),
    Tensor(u32),
    Device,
}

impl PickleValue {
    /// Returns the value's type in words, for messages.
    pub fn kind(self) -> &'static str {
        match self {
            PickleValue::None => "None",
            PickleValue::Bool(_) => "a bool",
            PickleValue::Int(_) => "an int",
            PickleValue::Float => "a float",
            PickleValue::Text(_) => "a string",
            PickleValue::Tuple(_) => "a tuple",
            PickleValue::List(_) => "a list",
            PickleValue::Dict(_) => "a dict",
            PickleValue::Global(_) => "a global",
            PickleValue::Storage(_) => "a storage",
            PickleValue::Tensor(_) => "a tensor",
            PickleValue::Device => "a device",
        }
    }
}

/// Consecutive rows of [`Heap::pool`].
#[derive(Copy, Clone, Debug)]
pub struct RowRange {
    start: u32,
    len: u32,
}

/// Description of a storage.
#[derive(Copy, Clone, Debug)]
pub struct StorageRow {
    /// The entry under `data/` that holds its bytes.
    pub key: Piece,
    /// The element type, or None for an untyped storage.
    pub dtype: Option<ScalarType>,
    /// The size in bytes.
    pub bytes: u64,
}

/// A tensor as the pickle describes it, not yet checked against the storage.
#[derive(Copy, Clone, Debug)]
pub struct TensorRow {
    pub storage: StorageRow,
    pub dtype: ScalarType,
    pub sizes: RowRange,
    pub strides: RowRange,
    pub offset: i64,
    pub requires_grad: bool,
}

/// Tables behind the values, and the remaining memory budget.
pub struct Heap {
    pool: Vec<PickleValue>,
    lists: Vec<Vec<PickleValue>>,
    dicts: Vec<Vec<(PickleValue, PickleValue)>>,
    storages: Vec<StorageRow>,
    tensors: Vec<TensorRow>,
    budget: MemoryBudget,
}

impl Heap {
    pub fn new(budget: MemoryBudget) -> Heap {
        let (pool, lists, dicts) = (Vec::new(), Vec::new(), Vec::new());
        Heap { pool, lists, dicts, storages: Vec::new(), tensors: Vec::new(), budget }
    }

    pub fn budget(&mut self) -> &mut MemoryBudget {
        &mut self.budget
    }

    pub fn tuple(&mut self, items: &[PickleValue]) -> Result<PickleValue, String> {
        let start = row(self.pool.len())?;
        for item in items {
            self.budget.push(&mut self.pool, *item)?;
        }
        Ok(PickleValue::Tuple(RowRange { start, len: row(items.len())? }))
    }

    pub fn list(&mut self) -> Result<PickleValue, String> {
        let number = row(self.lists.len())?;
        self.budget.push(&mut self.lists, Vec::new())?;
        Ok(PickleValue::List(number))
    }

    pub fn dict(&mut self) -> Result<PickleValue, String> {
        let number = row(self.dicts.len())?;
        self.budget.push(&mut self.dicts, Vec::new())?;
        Ok(PickleValue::Dict(number))
    }

    pub fn storage(&mut self, storage: StorageRow) -> Result<PickleValue, String> {
        let number = row(self.storages.len())?;
        self.budget.push(&mut self.storages, storage)?;
        Ok(PickleValue::Storage(number))
    }

    pub fn tensor(&mut self, tensor: TensorRow) -> Result<PickleValue, String> {
        let number = row(self.tensors.len())?;
        self.budget.push(&mut self.tensors, tensor)?;
        Ok(PickleValue::Tensor(number))
    }

    pub fn append(&mut self, list: PickleValue, item: PickleValue) -> Result<(), String> {
        let PickleValue::List(number) = list else { return Err(format!("{} is no list", list.kind())) };
        let list = self.lists.get_mut(number as usize).ok_or("no such list")?;
        self.budget.push(list, item)
    }

    pub fn set(&mut self, dict: PickleValue, key: PickleValue, item: PickleValue) -> Result<(), String> {
        let PickleValue::Dict(number) = dict else { return Err(format!("{} is no dict", dict.kind())) };
        let dict = self.dicts.get_mut(number as usize).ok_or("no such dict")?;
        self.budget.push(dict, (key, item))
    }

    pub fn items(&self, run: RowRange) -> &[PickleValue] {
        let start = run.start as usize;
        self.pool.get(start..start + run.len as usize).unwrap_or_default()
    }

    pub fn entries(&self, number: u32) -> &[(PickleValue, PickleValue)] {
        self.dicts.get(number as usize).map(Vec::as_slice).unwrap_or_default()
    }

    pub fn storage_at(&self, number: u32) -> Result<StorageRow, String> {
        self.storages.get(number as usize).copied().ok_or_else(|| "no such storage".to_owned())
    }

    pub fn tensor_at(&self, number: u32) -> Result<TensorRow, String> {
        self.tensors.get(number as usize).copied().ok_or_else(|| "no such tensor".to_owned())
    }
}

/// Remaining memory that may be allocated, in bytes.
pub struct MemoryBudget(pub usize);

impl MemoryBudget {
    /// Charges memory that the caller allocates.
    pub fn spend(&mut self, bytes: usize) -> Result<(), String> {
        self.0 =
            self.0.checked_sub(bytes).ok_or("the pickle asks for more memory than its file's size allows")?;
        Ok(())
    }

    /// Pushes an item. When the vector grows, charges the old and the new memory while both exist.
    pub fn push<T>(&mut self, items: &mut Vec<T>, item: T) -> Result<(), String> {
        let held = items.capacity();
        if items.len() == held {
            let more = (held / 2).max(2);
            self.spend((held + more) * size_of::<T>())?;
            items.reserve_exact(more);
            self.0 += held * size_of::<T>();
        }
        items.push(item);
        Ok(())
    }
}

fn row(len: usize) -> Result<u32, String> {
    u32::try_from(len).map_err(|_| "the pickle builds too many values".to_owned())
}
