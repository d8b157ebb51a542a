//! Single array: a header and its elements.

use super::element::{self, Element};
use super::header::Header;
use super::{Array, tidy};
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;

/// Reads a file. The array has no name.
pub fn read_file(path: &Path) -> Result<Array, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let held = file.metadata().map_err(|error| error.to_string())?.len();
    read("", BufReader::new(file), held)
}

/// Reads an array from a source of `held` bytes.
pub fn read(name: &str, mut from: impl Read, held: u64) -> Result<Array, String> {
    let (header, length) = Header::read(&mut from)?;
    let element = Element::of(&header.descr)?;
    let item = element.dtype.size_in_bytes();
    let sizes: Vec<usize> = sizes(&header)?;
    let expected = byte_count(&sizes, item).ok_or("its sizes are too large")?;
    let mut bytes = elements(from, expected, held.saturating_sub(length as u64))?;
    element.to_little_endian(&mut bytes);
    if header.fortran_order {
        bytes = row_major(&bytes, &sizes, item);
    }
    let sizes = sizes.into_iter().map(|size| size as i64).collect();
    Ok(tidy(Array { name: name.into(), dtype: element.dtype, sizes, bytes }))
}

fn sizes(header: &Header) -> Result<Vec<usize>, String> {
    let small = |size: &u64| i64::try_from(*size).ok().and_then(|size| usize::try_from(size).ok());
    let sizes: Option<_> = header.shape.iter().map(small).collect();
    sizes.ok_or_else(|| "its sizes are too large".into())
}

fn byte_count(sizes: &[usize], item: usize) -> Option<usize> {
    sizes.iter().try_fold(item, |product, size| product.checked_mul(*size))
}

/// Reads the elements. The size in the header is compared with the size of the source before memory
/// is allocated.
fn elements(from: impl Read, expected: usize, held: u64) -> Result<Vec<u8>, String> {
    let cut = |found: u64| format!("it ends after {found} of {expected} bytes of elements");
    if held < expected as u64 {
        return Err(cut(held));
    }
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(expected).map_err(|_| format!("no memory for {expected} bytes of elements"))?;
    from.take(expected as u64).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() == expected { Ok(bytes) } else { Err(cut(bytes.len() as u64)) }
}

/// Returns Fortran-ordered elements in contiguous order.
fn row_major(bytes: &[u8], sizes: &[usize], item: usize) -> Vec<u8> {
    let mut index = vec![0; sizes.len()];
    let mut ordered = Vec::with_capacity(bytes.len());
    while ordered.len() < bytes.len() {
        let place = index.iter().zip(sizes).rev().fold(0, |place, (index, size)| place * size + index);
        ordered.extend_from_slice(bytes.get(place * item..(place + 1) * item).unwrap_or_default());
        advance(&mut index, sizes);
    }
    ordered
}

fn advance(index: &mut [usize], sizes: &[usize]) {
    for (index, size) in index.iter_mut().zip(sizes).rev() {
        *index += 1;
        if *index < *size {
            return;
        }
        *index = 0;
    }
}

/// Writes a file.
pub fn write_file(path: &Path, array: &Array) -> Result<(), String> {
    let file = File::create(path).map_err(|error| error.to_string())?;
    let mut to = BufWriter::new(file);
    write(&mut to, array)?;
    to.flush().map_err(|error| error.to_string())
}

/// Writes an array.
pub fn write(to: &mut impl Write, array: &Array) -> Result<(), String> {
    let descr = element::descr(array.dtype).ok_or_else(|| format!("NumPy has no {}", array.dtype))?;
    let shape = array.sizes.iter().map(|size| size.unsigned_abs()).collect();
    let header = Header { descr: descr.into(), fortran_order: false, shape };
    to.write_all(&header.write()).and_then(|()| to.write_all(&array.bytes)).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_of_dimensions() {
        assert_eq!(row_major(b"adbecf", &[2, 3], 1), b"abcdef");
        assert_eq!(row_major(b"aAcCbBdD", &[2, 2], 2), b"aAbBcCdD");
        assert_eq!(row_major(b"abc", &[3], 1), b"abc");
        assert_eq!(row_major(b"x", &[], 1), b"x");
        assert_eq!(row_major(b"", &[2, 0], 1), b"");
    }
}
