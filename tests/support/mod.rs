//! Reads what `make_archives.py` stored beside each archive.

use pt2::program::schema::ScalarType;
use pt2::torch::{Tensor, dtype_from_torch};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// An array of a `.npz` file: its element type, sizes and little-endian bytes.
#[derive(Clone, Debug)]
pub struct Array {
    pub dtype: ScalarType,
    pub sizes: Vec<i64>,
    pub bytes: Vec<u8>,
}

impl Array {
    pub fn tensor(&self) -> Tensor {
        Tensor::from_bytes(self.dtype, &self.sizes, &self.bytes).unwrap()
    }

    pub fn of(tensor: &Tensor) -> Array {
        let view = tensor.view();
        let dtype = dtype_from_torch(view.dtype).unwrap();
        Array { dtype, sizes: view.sizes.to_vec(), bytes: tensor.to_bytes().unwrap() }
    }

    pub fn floats(&self) -> Vec<f64> {
        let size = self.dtype.size_in_bytes();
        self.bytes.chunks_exact(size).map(|bytes| number(self.dtype, bytes)).collect()
    }

    /// The largest difference from a reference, relative to the reference's largest magnitude.
    pub fn error_against(&self, reference: &Array) -> f64 {
        assert_eq!(self.sizes, reference.sizes);
        assert_eq!(self.dtype, reference.dtype);
        let (ours, theirs) = (self.floats(), reference.floats());
        let scale = theirs.iter().fold(f64::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
        let same = |a: f64, b: f64| a == b || (a.is_nan() && b.is_nan());
        ours.iter().zip(&theirs).fold(0.0, |worst: f64, (a, b)| {
            let difference = if same(*a, *b) { 0.0 } else { (a - b).abs() / scale };
            if difference.is_nan() { f64::INFINITY } else { worst.max(difference) }
        })
    }
}

fn number(dtype: ScalarType, bytes: &[u8]) -> f64 {
    match dtype {
        ScalarType::Float => f64::from(f32::from_le_bytes(bytes.try_into().unwrap())),
        ScalarType::Double => f64::from_le_bytes(bytes.try_into().unwrap()),
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

    /// The inputs of a call; what has no array, such as None and strings, is absent.
    pub fn inputs(&self, call: usize, count: usize) -> Vec<Option<Array>> {
        (0..count).map(|index| self.get(&format!("in{call}_{index}"))).collect()
    }

    pub fn outputs(&self, call: usize, count: usize) -> Vec<Option<Array>> {
        (0..count).map(|index| self.get(&format!("out{call}_{index}"))).collect()
    }

    fn get(&self, key: &str) -> Option<Array> {
        self.0.get(key).or_else(|| self.0.get(&format!("{key}_bf16"))).cloned()
    }
}

pub fn read_npz(path: &Path) -> BTreeMap<String, Array> {
    let mut file = zip::ZipArchive::new(BufReader::new(File::open(path).unwrap())).unwrap();
    (0..file.len())
        .map(|index| {
            let entry = file.by_index(index).unwrap();
            let name = entry.name().unwrap().trim_end_matches(".npy").to_owned();
            let array = read_array(npyz::NpyFile::new(entry).unwrap(), name.ends_with("_bf16"));
            (name, array)
        })
        .collect()
}

fn read_array<R: std::io::Read>(array: npyz::NpyFile<R>, bfloat: bool) -> Array {
    let sizes: Vec<i64> = array.shape().iter().map(|size| *size as i64).collect();
    assert_eq!(array.order(), npyz::Order::C);
    macro_rules! read {
        ($type:ty, $dtype:ident) => {{
            let values: Vec<$type> = array.into_vec().unwrap();
            let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            Array { dtype: ScalarType::$dtype, sizes, bytes }
        }};
    }
    match array.dtype().descr().trim_matches('\'') {
        "<f4" => read!(f32, Float),
        "<f8" => read!(f64, Double),
        "<i8" => read!(i64, Long),
        "<i4" => read!(i32, Int),
        "|i1" => read!(i8, Char),
        "|u1" => read!(u8, Byte),
        "<u2" if bfloat => read!(u16, BFloat16),
        "|b1" => {
            let values: Vec<bool> = array.into_vec().unwrap();
            Array { dtype: ScalarType::Bool, sizes, bytes: values.into_iter().map(u8::from).collect() }
        }
        other => panic!("no reader for {other}"),
    }
}

/// A file of the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
