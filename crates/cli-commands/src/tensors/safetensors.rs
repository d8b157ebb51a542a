//! Named tensors after a JSON header. Their order in the file is not the user's, because writers
//! sort by dtype.

use super::npz::require;
use super::{Array, tidy};
use pt2::program::schema::ScalarType;
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};
use std::fs;
use std::path::Path;

const DTYPES: [(ScalarType, Dtype); 19] = [
    (ScalarType::Bool, Dtype::BOOL),
    (ScalarType::Byte, Dtype::U8),
    (ScalarType::Char, Dtype::I8),
    (ScalarType::Short, Dtype::I16),
    (ScalarType::UInt16, Dtype::U16),
    (ScalarType::Int, Dtype::I32),
    (ScalarType::UInt32, Dtype::U32),
    (ScalarType::Long, Dtype::I64),
    (ScalarType::UInt64, Dtype::U64),
    (ScalarType::Half, Dtype::F16),
    (ScalarType::BFloat16, Dtype::BF16),
    (ScalarType::Float, Dtype::F32),
    (ScalarType::Double, Dtype::F64),
    (ScalarType::ComplexFloat, Dtype::C64),
    (ScalarType::Float8E5M2, Dtype::F8_E5M2),
    (ScalarType::Float8E4M3Fn, Dtype::F8_E4M3),
    (ScalarType::Float8E5M2FnUz, Dtype::F8_E5M2FNUZ),
    (ScalarType::Float8E4M3FnUz, Dtype::F8_E4M3FNUZ),
    (ScalarType::Float8E8M0Fnu, Dtype::F8_E8M0),
];

/// Returns the format's dtype for an element type, if it has one.
pub fn dtype(ours: ScalarType) -> Option<Dtype> {
    DTYPES.iter().find(|(known, _)| *known == ours).map(|(_, theirs)| *theirs)
}

/// Reads the tensors of these names, or all of them by name.
pub fn read(path: &Path, wanted: Option<&[String]>) -> Result<Vec<Array>, String> {
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| error.to_string())?;
    let mut names: Vec<String> = file.names().into_iter().map(str::to_owned).collect();
    names.sort();
    match wanted {
        Some(wanted) => wanted.iter().map(|name| read_one(&file, require(name, &names)?)).collect(),
        None => names.iter().map(|name| read_one(&file, name)).collect(),
    }
}

fn read_one(file: &SafeTensors, name: &str) -> Result<Array, String> {
    let view = file.tensor(name).map_err(|error| error.to_string())?;
    let known = DTYPES.iter().find(|(_, theirs)| *theirs == view.dtype());
    let (dtype, _) =
        known.ok_or_else(|| format!("tensor `{name}`: its dtype {:?} is none of PyTorch's", view.dtype()))?;
    let sizes = view.shape().iter().map(|size| *size as i64).collect();
    Ok(tidy(Array { name: name.into(), dtype: *dtype, sizes, bytes: view.data().to_vec() }))
}

/// Writes tensors.
pub fn write(path: &Path, arrays: &[Array]) -> Result<(), String> {
    let views: Result<Vec<_>, String> = arrays.iter().map(view).collect();
    let bytes = serialize(views?, None).map_err(|error| error.to_string())?;
    fs::write(path, bytes).map_err(|error| error.to_string())
}

fn view(array: &Array) -> Result<(&str, TensorView<'_>), String> {
    let dtype = dtype(array.dtype).ok_or_else(|| format!("the format has no {}", array.dtype))?;
    let sizes = array.sizes.iter().map(|size| size.unsigned_abs() as usize).collect();
    let view = TensorView::new(dtype, sizes, &array.bytes).map_err(|error| error.to_string())?;
    Ok((&array.name, view))
}
