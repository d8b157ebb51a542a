//! A zip of `.npy` files, each named after its array.

use super::{Array, npy};
use npyz::npz::{array_name_from_file_name, file_name_from_array_name};
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::Path;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

type Zip = ZipArchive<BufReader<File>>;

/// Reads the arrays of these names, or all of them in the order of the file.
pub fn read(path: &Path, wanted: Option<&[String]>) -> Result<Vec<Array>, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut zip = ZipArchive::new(BufReader::new(file)).map_err(|error| error.to_string())?;
    let names = names(&zip)?;
    let Some(wanted) = wanted else {
        return names.iter().map(|name| read_one(&mut zip, name)).collect();
    };
    wanted.iter().map(|name| read_one(&mut zip, require(name, &names)?)).collect()
}

fn names(zip: &Zip) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    for entry in (0..zip.len()).map_while(|index| zip.name_for_index(index)) {
        let entry = entry.map_err(|error| error.to_string())?;
        names.extend(array_name_from_file_name(&entry).map(str::to_owned));
    }
    Ok(names)
}

/// The name, if the file has it.
pub(super) fn require<'a>(name: &'a str, names: &[String]) -> Result<&'a str, String> {
    match names.iter().any(|known| known == name) {
        true => Ok(name),
        false => Err(format!("it holds no `{name}`; it holds {}", names.join(", "))),
    }
}

fn read_one(zip: &mut Zip, name: &str) -> Result<Array, String> {
    let entry = zip.by_name(&file_name_from_array_name(name)).map_err(|error| error.to_string())?;
    npy::read(name, entry).map_err(|reason| format!("array `{name}`: {reason}"))
}

/// Writes arrays, not compressed, as `numpy.savez` does.
pub fn write(path: &Path, arrays: &[Array]) -> Result<(), String> {
    let file = File::create(path).map_err(|error| error.to_string())?;
    let mut zip = ZipWriter::new(BufWriter::new(file));
    for array in arrays {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        zip.start_file(file_name_from_array_name(&array.name), options.large_file(true))
            .map_err(|error| error.to_string())?;
        npy::write(&mut zip, array)?;
    }
    let mut file = zip.finish().map_err(|error| error.to_string())?;
    file.flush().map_err(|error| error.to_string())
}
