//! Tensors in files: `.npy`, `.npz` and `.safetensors`.
//!
//! - Owns: the element types that each format can hold, and the names in files.
//! - Input: paths.
//! - Output: contiguous [`Array`]s. Writing takes arrays and a path.

mod element;
mod header;
mod npy;
mod npz;
mod safetensors;
#[cfg(test)]
mod tests;

use crate::failure::Failure;
use pt2::program::schema::ScalarType;
use pt2::torch::{Tensor, dtype_from_torch};
use pt2_cli_arguments::{Format, Selection};
use std::path::Path;

/// Tensor in the form in which files hold it.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Name in the file; empty where the format has none.
    pub name: String,
    /// Element type.
    pub dtype: ScalarType,
    /// Sizes.
    pub sizes: Vec<i64>,
    /// Elements, contiguous and little-endian.
    pub bytes: Vec<u8>,
}

impl Array {
    /// Copies a tensor's elements.
    pub fn of(name: &str, tensor: &Tensor) -> pt2::Result<Array> {
        let (view, no_dtype) = (tensor.view(), "an output has a dtype that no saved program can have");
        let dtype = dtype_from_torch(view.dtype);
        let dtype = dtype.ok_or_else(|| pt2::Error::Internal { reason: no_dtype.into() })?;
        Ok(Array { name: name.into(), dtype, sizes: view.sizes.to_vec(), bytes: tensor.to_bytes()? })
    }

    /// Creates a tensor on the host with these elements.
    pub fn tensor(&self) -> pt2::Result<Tensor> {
        Tensor::from_bytes(self.dtype, &self.sizes, &self.bytes)
    }
}

/// Element types that a file format holds.
pub trait ElementTypes {
    /// Refuses a dtype that the format cannot hold. NumPy's formats store bfloat16 as bit patterns.
    fn require(self, dtype: ScalarType) -> Result<(), String>;

    /// Returns the suffix for the name of a tensor of this dtype.
    fn suffix(self, dtype: ScalarType) -> &'static str;
}

impl ElementTypes for Format {
    fn require(self, dtype: ScalarType) -> Result<(), String> {
        if holds(self, dtype) {
            return Ok(());
        }
        match [Format::Npz, Format::Safetensors].into_iter().find(|other| holds(*other, dtype)) {
            Some(other) => Err(format!("a {self} file cannot hold {dtype}, a {other} file can")),
            None => Err(format!("no file format holds {dtype}")),
        }
    }

    fn suffix(self, dtype: ScalarType) -> &'static str {
        if dtype == ScalarType::BFloat16 && self != Format::Safetensors { element::BIT_PATTERN } else { "" }
    }
}

fn holds(format: Format, dtype: ScalarType) -> bool {
    match format {
        Format::Npy | Format::Npz => element::descr(dtype).is_some(),
        Format::Safetensors => safetensors::dtype(dtype).is_some(),
    }
}

/// Reads the tensors of a selection.
pub fn read(selection: &Selection) -> Result<Vec<Array>, Failure> {
    let Selection { path, format, names } = selection;
    let read = match format {
        Format::Npy => npy::read_file(path).map(|array| vec![array]),
        Format::Npz => npz::read(path, names.as_deref()),
        Format::Safetensors => safetensors::read(path, names.as_deref()),
    };
    read.map_err(|reason| Failure::file("read", path, reason))
}

/// Writes arrays with different names. A `.npy` file takes exactly one.
pub fn write(path: &Path, format: Format, arrays: &[Array]) -> Result<(), Failure> {
    let written = match (format, arrays) {
        (Format::Npy, [array]) => npy::write_file(path, array),
        (Format::Npy, _) => Err(format!("it takes one array, there are {}; write .npz", arrays.len())),
        (Format::Npz, _) => npz::write(path, arrays),
        (Format::Safetensors, _) => safetensors::write(path, arrays),
    };
    written.map_err(|reason| Failure::file("write", path, reason))
}

/// Normalises bools to 0 or 1, which libtorch requires.
fn tidy(mut array: Array) -> Array {
    if array.dtype == ScalarType::Bool {
        array.bytes.iter_mut().for_each(|byte| *byte = u8::from(*byte != 0));
    }
    array
}
