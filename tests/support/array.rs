//! Arrays of the files that `make_archives.py` stored beside each archive.

use pt2_format::program::schema::ScalarType;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

/// An array of a `.npz` file: its element type, sizes and little-endian bytes.
#[derive(Clone, Debug)]
pub struct Array {
    pub dtype: ScalarType,
    pub sizes: Vec<i64>,
    pub bytes: Vec<u8>,
}

impl Array {
    pub fn floats(&self) -> Vec<f64> {
        let size = self.dtype.size_in_bytes();
        self.bytes.chunks_exact(size).map(|bytes| number(self.dtype, bytes)).collect()
    }

    /// Returns the largest difference from a reference, relative to the reference's largest
    /// magnitude. Infinite if the bits of a non-numeric type differ.
    pub fn error_against(&self, reference: &Array) -> f64 {
        assert_eq!(self.sizes, reference.sizes);
        assert_eq!(self.dtype, reference.dtype);
        if self.bytes == reference.bytes {
            return 0.0;
        }
        if !is_plain(self.dtype) {
            return f64::INFINITY;
        }
        let (ours, theirs) = (self.floats(), reference.floats());
        let scale = theirs.iter().fold(f64::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
        let same = |a: f64, b: f64| a == b || (a.is_nan() && b.is_nan());
        ours.iter().zip(&theirs).fold(0.0, |worst: f64, (a, b)| {
            let difference = if same(*a, *b) { 0.0 } else { (a - b).abs() / scale };
            if difference.is_nan() { f64::INFINITY } else { worst.max(difference) }
        })
    }
}

fn is_plain(dtype: ScalarType) -> bool {
    use ScalarType::*;
    matches!(dtype, Float | Double | Half | BFloat16 | Long | Int | Bool | Byte)
}

fn number(dtype: ScalarType, bytes: &[u8]) -> f64 {
    match dtype {
        ScalarType::Float => f64::from(f32::from_le_bytes(bytes.try_into().unwrap())),
        ScalarType::Double => f64::from_le_bytes(bytes.try_into().unwrap()),
        ScalarType::Half => half(u16::from_le_bytes(bytes.try_into().unwrap())),
        ScalarType::BFloat16 => {
            f64::from(f32::from_bits(u32::from(u16::from_le_bytes(bytes.try_into().unwrap())) << 16))
        }
        ScalarType::Long => i64::from_le_bytes(bytes.try_into().unwrap()) as f64,
        ScalarType::Int => f64::from(i32::from_le_bytes(bytes.try_into().unwrap())),
        ScalarType::Char => f64::from(i8::from_le_bytes(bytes.try_into().unwrap())),
        ScalarType::Bool | ScalarType::Byte => f64::from(bytes[0]),
        other => panic!("no reader for {other}"),
    }
}

/// Converts the bits of a float16 number.
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    let magnitude = match exponent {
        0 => fraction / 16_777_216.0,
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction / 1024.0) * f64::from(exponent - 15).exp2(),
    };
    if bits >> 15 == 1 { -magnitude } else { magnitude }
}

/// The inputs and outputs of consecutive calls on one model.
pub struct Calls(BTreeMap<String, Array>);

impl Calls {
    /// The file beside an archive.
    pub fn beside(archive: &Path) -> Calls {
        Calls(read_npz(&archive.with_extension("npz")))
    }

    pub fn len(&self) -> usize {
        (0..).take_while(|call| self.0.keys().any(|key| key.starts_with(&format!("out{call}_")))).count()
    }

    /// Returns the inputs of a call. Those without an array, such as None and strings, are absent.
    pub fn inputs(&self, call: usize, count: usize) -> Vec<Option<Array>> {
        (0..count).map(|index| self.get(&format!("in{call}_{index}"))).collect()
    }

    pub fn outputs(&self, call: usize, count: usize) -> Vec<Option<Array>> {
        (0..count).map(|index| self.get(&format!("out{call}_{index}"))).collect()
    }

    fn get(&self, key: &str) -> Option<Array> {
        let suffixed = format!("{key}_");
        let named = |found: &&String| **found == key || found.starts_with(&suffixed);
        self.0.keys().find(named).and_then(|found| self.0.get(found)).cloned()
    }
}

pub fn read_npz(path: &Path) -> BTreeMap<String, Array> {
    let mut file = zip::ZipArchive::new(BufReader::new(File::open(path).unwrap())).unwrap();
    (0..file.len())
        .map(|index| {
            let mut entry = file.by_index(index).unwrap();
            let name = entry.name().unwrap().trim_end_matches(".npy").to_owned();
            let mut npy = Vec::new();
            entry.read_to_end(&mut npy).unwrap();
            let array = read_array(&npy, &name);
            (name, array)
        })
        .collect()
}

/// The elements are the last bytes of the file.
fn read_array(npy: &[u8], name: &str) -> Array {
    let header = npyz::NpyFile::new(npy).unwrap();
    assert_eq!(header.order(), npyz::Order::C);
    let sizes: Vec<i64> = header.shape().iter().map(|size| *size as i64).collect();
    let dtype = element_type(header.dtype().descr().trim_matches('\''), name);
    let bytes = sizes.iter().product::<i64>() as usize * dtype.size_in_bytes();
    Array { dtype, sizes, bytes: npy[npy.len() - bytes..].to_vec() }
}

/// The array's name has the suffix for dtypes that NumPy lacks.
fn element_type(descr: &str, name: &str) -> ScalarType {
    use ScalarType::*;
    let named = [
        ("_bf16", BFloat16),
        ("_complex32", ComplexHalf),
        ("_float8_e4m3fn", Float8E4M3Fn),
        ("_float8_e5m2", Float8E5M2),
        ("_float8_e4m3fnuz", Float8E4M3FnUz),
        ("_float8_e5m2fnuz", Float8E5M2FnUz),
        ("_float8_e8m0fnu", Float8E8M0Fnu),
    ];
    if let Some((_, dtype)) = named.iter().find(|(suffix, _)| name.ends_with(suffix)) {
        return *dtype;
    }
    match descr {
        "<f2" => Half,
        "<f4" => Float,
        "<f8" => Double,
        "<c8" => ComplexFloat,
        "<c16" => ComplexDouble,
        "|i1" => Char,
        "<i2" => Short,
        "<i4" => Int,
        "<i8" => Long,
        "|u1" => Byte,
        "<u2" => UInt16,
        "<u4" => UInt32,
        "<u8" => UInt64,
        "|b1" => Bool,
        other => panic!("no reader for {other}"),
    }
}
