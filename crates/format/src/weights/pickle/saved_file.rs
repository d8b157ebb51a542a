//! File written by `torch.save`: a zip with one folder that holds `data.pkl`, `byteorder` and
//! `data/<key>`.

use crate::archive::{Slice, ZipFile};
use crate::{Error, Result};
use std::collections::HashMap;

/// A file of `torch.save`. Only entries that the pickle names are read.
pub struct SavedFile<'a> {
    container: &'a ZipFile,
    root: String,
    /// Storages by key. Tied tensors name one storage many times, and its checksum is verified
    /// once.
    storages: HashMap<String, Slice>,
}

impl<'a> SavedFile<'a> {
    /// Finds the single folder and rejects foreign byte orders. Files older than the `byteorder`
    /// entry are little-endian.
    pub fn open(container: &'a ZipFile) -> Result<SavedFile<'a>> {
        let root = root_of(container)?;
        let byteorder = format!("{root}/byteorder");
        if container.find(&byteorder).is_some() {
            let order = container.get(&byteorder)?;
            if order.bytes() != b"little" {
                let order = String::from_utf8_lossy(order.bytes()).chars().take(20).collect::<String>();
                return Err(Error::Unsupported { what: format!("weights in the byte order {order:?}") });
            }
        }
        Ok(SavedFile { container, root, storages: HashMap::new() })
    }

    /// Returns the bytes of the pickle.
    pub fn pickle(&self) -> Result<Slice> {
        self.container.get(&self.pickle_name())
    }

    /// Returns the entry name of the pickle.
    pub fn pickle_name(&self) -> String {
        format!("{}/data.pkl", self.root)
    }

    /// Returns the bytes of a storage.
    pub fn storage(&mut self, key: &str) -> Result<Slice> {
        if let Some(slice) = self.storages.get(key) {
            return Ok(slice.clone());
        }
        let slice = self.container.get(&format!("{}/data/{key}", self.root))?;
        self.storages.insert(key.to_owned(), slice.clone());
        Ok(slice)
    }
}

fn root_of(container: &ZipFile) -> Result<String> {
    let folder = |name: &str| name.strip_suffix("/data.pkl").map(str::to_owned);
    let mut roots = container.names().filter_map(folder).filter(|root| !root.contains('/'));
    match (roots.next(), roots.next()) {
        (Some(root), None) => Ok(root),
        (None, _) => Err(not_saved("it has no data.pkl")),
        (Some(_), Some(_)) => Err(not_saved("it has more than one data.pkl")),
    }
}

fn not_saved(reason: &str) -> Error {
    Error::Archive {
        entry: None,
        reason: format!("a file of weights is none that torch.save wrote: {reason}"),
    }
}
