//! Zip of `.npy` files, each named after its array.

use super::{Array, npy};
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::Path;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

type Zip = ZipArchive<BufReader<File>>;

/// Extension of an array's entry.
const ENDING: &str = ".npy";

/// Maximum ratio by which deflate compresses: 258 bytes in two bits.
const MOST_INFLATED: u64 = 1032;

/// Reads the arrays of these names, or all of them in the order of the file.
pub fn read(path: &Path, wanted: Option<&[String]>) -> Result<Vec<Array>, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut left = file.metadata().map_err(|error| error.to_string())?.len();
    let mut zip = ZipArchive::new(BufReader::new(file)).map_err(|error| error.to_string())?;
    let names = names(&zip)?;
    let Some(wanted) = wanted else {
        return names.iter().map(|name| read_one(&mut zip, name, &mut left)).collect();
    };
    // A selection may name an array more than once.
    let whole = left;
    wanted.iter().map(|name| read_one(&mut zip, require(name, &names)?, &mut whole.clone())).collect()
}

fn names(zip: &Zip) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    for entry in (0..zip.len()).map_while(|index| zip.name_for_index(index)) {
        let entry = entry.map_err(|error| error.to_string())?;
        names.extend(entry.strip_suffix(ENDING).map(str::to_owned));
    }
    Ok(names)
}

/// Returns the name, if the file has it.
pub(super) fn require<'a>(name: &'a str, names: &[String]) -> Result<&'a str, String> {
    if names.iter().any(|known| known == name) {
        Ok(name)
    } else {
        Err(format!("it holds no `{name}`; it holds {}", names.join(", ")))
    }
}

/// Reads an array. `left` is the size of the file that remains for this array and later ones
/// together, because entries may overlap.
fn read_one(zip: &mut Zip, name: &str, left: &mut u64) -> Result<Array, String> {
    let entry = zip.by_name(&(name.to_owned() + ENDING)).map_err(|error| error.to_string())?;
    let (stored, held) = (entry.compressed_size(), entry.size());
    *left = left.checked_sub(stored).ok_or("its entries take more bytes together than the file has")?;
    if held > stored.saturating_mul(MOST_INFLATED) {
        return Err(format!("array `{name}`: {stored} bytes of the file cannot be {held} bytes"));
    }
    npy::read(name, entry, held).map_err(|reason| format!("array `{name}`: {reason}"))
}

/// Writes arrays, not compressed, as `numpy.savez` does.
pub fn write(path: &Path, arrays: &[Array]) -> Result<(), String> {
    let file = File::create(path).map_err(|error| error.to_string())?;
    let mut zip = ZipWriter::new(BufWriter::new(file));
    for array in arrays {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        zip.start_file(array.name.clone() + ENDING, options.large_file(true))
            .map_err(|error| error.to_string())?;
        npy::write(&mut zip, array)?;
    }
    let mut file = zip.finish().map_err(|error| error.to_string())?;
    file.flush().map_err(|error| error.to_string())
}
