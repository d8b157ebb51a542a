//! A `.pt2` archive: a zip and the meaning of its entry names.

use std::path::Path;

use super::archive_index::{ArchiveIndex, FLAT_PROGRAM, config_name, folder, pickle_name};
use super::entry::Entry;
use super::error_context::ErrorContext;
use super::layout::ArchiveLayout;
use super::options::ReadOptions;
use super::payload::Payload;
use super::slice::Slice;
use super::zip_file::ZipFile;
use crate::{Error, Result};

/// An open archive. It is immutable and thread-safe. Slices that it returns keep the memory of the
/// file alive after the archive is dropped.
#[derive(Debug)]
pub struct Archive {
    container: ZipFile,
    contents: ArchiveIndex,
}

/// Entry in which PyTorch 2.6 and 2.7 store sample inputs.
const FLAT_SAMPLE_INPUTS: &str = "serialized_example_inputs.pt";

impl Archive {
    /// Opens a file. Reads no tensor bytes.
    pub fn open(path: &Path, options: &ReadOptions) -> Result<Self> {
        let container = ZipFile::open(path, options)?;
        Self::of(container).map_err(|error| error.in_archive(path))
    }

    /// Opens an archive from memory. Copies the bytes into page-aligned memory, as aligned as a
    /// mapped file.
    pub fn from_bytes(bytes: Vec<u8>, options: &ReadOptions) -> Result<Self> {
        Self::from_slice(&bytes, options)
    }

    /// Opens an archive from a copy of `bytes`.
    pub fn from_slice(bytes: &[u8], options: &ReadOptions) -> Result<Self> {
        ZipFile::from_slice(bytes, options).and_then(Self::of)
    }

    fn of(container: ZipFile) -> Result<Self> {
        let contents = ArchiveIndex::of(container.names())?;
        let archive = Self { container, contents };
        archive.require_little_endian()?;
        Ok(archive)
    }

    fn require_little_endian(&self) -> Result<()> {
        let Some(order) = self.container.find(&format!("{}/byteorder", self.root())) else { return Ok(()) };
        let order = self.container.verified(order)?;
        match order.bytes() {
            b"little" => Ok(()),
            _ => Err(Error::Unsupported { what: "archives whose tensors are not little-endian".into() }),
        }
    }

    /// Returns the layout.
    pub fn layout(&self) -> ArchiveLayout {
        self.contents.layout
    }

    /// Returns the folder that holds all entries. Empty for [`ArchiveLayout::Flat`].
    pub fn root(&self) -> &str {
        &self.contents.root
    }

    /// Returns the names of the models in the order of the file. The one model of
    /// [`ArchiveLayout::Flat`] is called `model`.
    pub fn models(&self) -> &[String] {
        &self.contents.models
    }

    /// Returns the names of the models that have code compiled by AOTInductor, in the order of the
    /// file.
    pub fn compiled(&self) -> &[String] {
        &self.contents.compiled.names
    }

    /// Returns true if the archive holds an exported program of this name.
    pub fn has_model(&self, name: &str) -> bool {
        self.contents.has_model(name)
    }

    /// Returns the entry names of a model's compiled code, in the order of the file.
    pub fn compiled_entries(&self, model: &str) -> impl Iterator<Item = &str> {
        let places = self.contents.compiled.entries(model).iter();
        places.filter_map(|place| self.container.name_at(*place))
    }

    /// Returns the JSON text of a model's program.
    pub fn program(&self, model: &str) -> Result<Slice> {
        self.require_model(model)?;
        match self.layout() {
            ArchiveLayout::Flat => self.container.get(FLAT_PROGRAM),
            _ => self.container.get(&format!("{}/models/{model}.json", self.root())),
        }
    }

    /// Returns the stored parameters and buffers of a model.
    pub fn weights(&self, model: &str) -> Result<Payload> {
        self.stored(model, "weights", "serialized_state_dict.pt")
    }

    /// Returns the stored constants of a model, together with its non-persistent buffers.
    pub fn constants(&self, model: &str) -> Result<Payload> {
        self.stored(model, "constants", "serialized_constants.pt")
    }

    /// Returns true if a model's sample inputs are stored. PyTorch writes an empty entry for a
    /// program without sample inputs.
    pub fn has_sample_inputs(&self, model: &str) -> bool {
        let name = match self.layout() {
            ArchiveLayout::Flat => FLAT_SAMPLE_INPUTS.to_owned(),
            _ => pickle_name(self.root(), "sample_inputs", model),
        };
        self.container.find(&name).is_some_and(|entry| !entry.is_empty())
    }

    /// Returns the bytes of the entry with exactly this name, without verifying them. See
    /// [`Slice::verify`].
    pub fn entry(&self, name: &str) -> Result<Slice> {
        self.container.entry(name)
    }

    /// Returns every entry, in the order of the file.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.container.entries()
    }

    /// Returns true if entries are compared with their checksums before use.
    pub fn verifies(&self) -> bool {
        self.container.verifies()
    }

    /// Returns the size of the file in bytes.
    pub fn size(&self) -> u64 {
        self.container.size()
    }

    fn stored(&self, model: &str, kind: &str, flat: &str) -> Result<Payload> {
        self.require_model(model)?;
        if self.layout() == ArchiveLayout::Flat {
            return Ok(self.container.find(flat).map_or(Payload::Absent, Payload::Legacy));
        }
        let pickle = self.container.find(&pickle_name(self.root(), kind, model));
        let config = self.container.find(&config_name(self.root(), kind, model));
        match (pickle, config) {
            (None, None) => Ok(Payload::Absent),
            (Some(pickle), None) => Ok(Payload::Legacy(pickle)),
            (None, Some(config)) => self.raw(config, kind),
            (Some(pickle), Some(_)) => Err(twice(&pickle)),
        }
    }

    fn raw(&self, config: Slice, kind: &str) -> Result<Payload> {
        let config = self.container.verified(config)?;
        Ok(Payload::Raw { config, folder: folder(self.root(), kind) })
    }

    fn require_model(&self, model: &str) -> Result<()> {
        if self.has_model(model) {
            return Ok(());
        }
        let reason = format!("the archive holds no model `{model}`; it holds {}", self.models().join(", "));
        Err(Error::Argument { argument: "model", reason })
    }
}

fn twice(pickle: &Slice) -> Error {
    ErrorContext::entry(pickle.name()).error("the same tensors are also listed by a JSON file; one must go")
}
