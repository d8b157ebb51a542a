//! Reads tensors that are stored as entries of their own, listed by a JSON file.
//!
//! Each entry is a whole storage; sizes, strides and offset describe the view into it. Tensors that
//! share a storage share the entry (`torch/export/pt2_archive/_package.py` 2.11).

use super::extent::fits;
use super::pickle::{self, SavedTensor};
use super::require_strided;
use crate::archive::{Archive, Slice};
use crate::program::schema::{SymInt, TensorMeta};
use crate::program::{PayloadConfig, PayloadMeta};
use crate::{Error, Result};
use std::collections::HashMap;

/// Reads the tensors that a payload configuration lists, in its order.
pub fn read_listed(archive: &Archive, config: &Slice, folder: &str) -> Result<Vec<SavedTensor>> {
    let listed = PayloadConfig::parse(config.bytes())?;
    let mut reader = PayloadReader { archive, folder, pickled: HashMap::new() };
    let tensors = listed.entries().iter().map(|(name, meta)| reader.one(name, meta));
    tensors.filter_map(Result::transpose).collect()
}

struct PayloadReader<'a> {
    archive: &'a Archive,
    folder: &'a str,
    /// Tensors of pickled entries, by entry. Names that share an entry read it once.
    pickled: HashMap<&'a str, SavedTensor>,
}

impl<'a> PayloadReader<'a> {
    /// Reads one listed payload. Returns None for a custom object; planning rejects programs that
    /// use one.
    fn one(&mut self, name: &str, meta: &'a PayloadMeta) -> Result<Option<SavedTensor>> {
        let Some(tensor) = &meta.tensor_meta else { return Ok(None) };
        if meta.use_pickle {
            self.pickled(&meta.path_name).map(|saved| Some(SavedTensor { name: name.into(), ..saved }))
        } else {
            raw(name, tensor, self.entry(&meta.path_name)?).map(Some)
        }
    }

    fn entry(&self, name: &str) -> Result<Slice> {
        self.archive.entry(&format!("{}{name}", self.folder))
    }

    fn pickled(&mut self, entry: &'a str) -> Result<SavedTensor> {
        if let Some(saved) = self.pickled.get(entry) {
            return Ok(saved.clone());
        }
        let container = self.entry(entry)?.nested(self.archive.verifies())?;
        let saved = pickle::read_tensor(&container)?;
        self.pickled.insert(entry, saved.clone());
        Ok(saved)
    }
}

fn raw(name: &str, tensor: &TensorMeta, storage: Slice) -> Result<SavedTensor> {
    let bad = |reason: String| Error::Weight { name: name.into(), reason };
    let saved = view(name, tensor, storage).map_err(bad)?;
    let bytes = saved.storage.len() as u64;
    fits(saved.dtype, &saved.sizes, &saved.strides, saved.offset, bytes).map_err(bad)?;
    Ok(saved)
}

fn view(name: &str, meta: &TensorMeta, storage: Slice) -> Result<SavedTensor, String> {
    require_strided(meta)?;
    Ok(SavedTensor {
        name: name.into(),
        dtype: meta.dtype,
        sizes: meta.sizes.iter().map(literal).collect::<Result<_, _>>()?,
        strides: meta.strides.iter().map(literal).collect::<Result<_, _>>()?,
        offset: literal(&meta.storage_offset)?,
        storage,
        requires_grad: meta.requires_grad,
    })
}

fn literal(number: &SymInt) -> Result<i64, String> {
    match number {
        SymInt::Int(value) => Ok(*value),
        SymInt::Expr(expression) => {
            Err(format!("a stored tensor cannot depend on `{}`", expression.expr_str))
        }
    }
}
