//! One input in the C++ source beside a library: what the conditions on it and the declarations of it say.

use crate::program::schema::ScalarType;

/// The most dimensions of a tensor that are believed.
const MAX_RANK: usize = 64;

/// One tensor that a library takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceInput {
    /// Its name in the source, such as `arg9_1`.
    pub name: String,
    /// Its element type; None where the source does not tell, and then nothing else is told.
    pub dtype: Option<ScalarType>,
    /// libtorch's number for the kind of device it has to be on.
    pub device_type: Option<i32>,
    /// Its sizes.
    pub sizes: Vec<SourceSize>,
    /// Its strides; None for one that depends on sizes.
    pub strides: Vec<Option<i64>>,
}

/// One size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceSize {
    /// The only one that was compiled for.
    pub fixed: Option<i64>,
    /// The least one.
    pub min: Option<i64>,
    /// The greatest one as it is written, which may stand for none.
    pub max: Option<i64>,
    /// The variable that holds it, such as `s77`.
    pub symbol: Option<String>,
}

impl SourceSize {
    /// The greatest one, if there is one: `int_oo` is written as the largest int or one less.
    pub fn max(&self) -> Option<i64> {
        self.max.filter(|max| *max < i64::MAX - 1)
    }
}

impl SourceInput {
    /// Reads all lines that speak of this input. Its name is a variable of its own in the whole source.
    pub(super) fn read(&mut self, lines: &[&str]) {
        for line in lines {
            self.read_condition(line);
            self.read_declaration(line);
        }
        let rank = self.sizes.len().max(self.strides.len());
        self.sizes.resize_with(rank, SourceSize::default);
        self.strides.resize(rank, None);
    }

    /// Such as `if (16 != arg9_1_size[2]) {`.
    fn read_condition(&mut self, line: &str) {
        let Some(condition) = line.strip_prefix("if (").and_then(|rest| rest.strip_suffix(") {")) else {
            return;
        };
        if let Some((value, variable)) = condition.split_once(" != ") {
            let Ok(value) = value.parse() else { return };
            if let Some(at) = self.element(variable, "_size") {
                self.size(at, |size| size.fixed = Some(value));
            } else if let Some(at) = self.element(variable, "_stride") {
                self.stride(at, value);
            }
        } else if let Some((variable, value)) = condition.split_once(" < ") {
            self.bound(variable, value, |size| &mut size.min);
        } else if let Some((variable, value)) = condition.split_once(" > ") {
            self.bound(variable, value, |size| &mut size.max);
        }
    }

    /// Such as `int32_t arg9_1_expected_dtype = aoti_torch_dtype_float32();`.
    fn read_declaration(&mut self, line: &str) {
        let Some((declared, value)) = line.strip_suffix(';').and_then(|line| line.split_once(" = ")) else {
            return;
        };
        let Some((kind, variable)) = declared.split_once(' ') else { return };
        let of_input = variable.strip_prefix(self.name.as_str());
        match (kind, of_input) {
            ("int32_t", Some("_expected_dtype")) => self.dtype = dtype(value),
            ("int32_t", Some("_expected_device_type")) => self.device_type = value.parse().ok(),
            ("int64_t", None) => {
                if let Some(at) = self.element(value, "_size") {
                    self.size(at, |size| size.symbol = size.symbol.take().or_else(|| Some(variable.into())));
                }
            }
            _ => {}
        }
    }

    fn bound(&mut self, variable: &str, value: &str, side: fn(&mut SourceSize) -> &mut Option<i64>) {
        if let (Some(at), Ok(value)) = (self.element(variable, "_size"), value.parse()) {
            self.size(at, |size| *side(size) = Some(value));
        }
    }

    /// The index in `arg9_1_size[2]`.
    fn element(&self, text: &str, array: &str) -> Option<usize> {
        let index = text.strip_prefix(self.name.as_str())?.strip_prefix(array)?;
        let index = index.strip_prefix('[')?.strip_suffix(']')?.parse().ok()?;
        (index < MAX_RANK).then_some(index)
    }

    fn size(&mut self, at: usize, change: impl FnOnce(&mut SourceSize)) {
        if self.sizes.len() <= at {
            self.sizes.resize_with(at + 1, SourceSize::default);
        }
        if let Some(size) = self.sizes.get_mut(at) {
            change(size);
        }
    }

    fn stride(&mut self, at: usize, value: i64) {
        if self.strides.len() <= at {
            self.strides.resize(at + 1, None);
        }
        if let Some(stride) = self.strides.get_mut(at) {
            *stride = Some(value);
        }
    }
}

/// The names that `aoti_torch/c/shim.h` 2.11 has for element types.
fn dtype(call: &str) -> Option<ScalarType> {
    use ScalarType::*;
    Some(match call.strip_prefix("aoti_torch_dtype_")?.strip_suffix("()")? {
        "uint8" => Byte,
        "int8" => Char,
        "int16" => Short,
        "int32" => Int,
        "int64" => Long,
        "float16" => Half,
        "float32" => Float,
        "float64" => Double,
        "complex32" => ComplexHalf,
        "complex64" => ComplexFloat,
        "complex128" => ComplexDouble,
        "bool" => Bool,
        "bfloat16" => BFloat16,
        "uint16" => UInt16,
        "uint32" => UInt32,
        "uint64" => UInt64,
        "float8_e4m3fn" => Float8E4M3Fn,
        "float8_e5m2" => Float8E5M2,
        "float8_e4m3fnuz" => Float8E4M3FnUz,
        "float8_e5m2fnuz" => Float8E5M2FnUz,
        "float8_e8m0fnu" => Float8E8M0Fnu,
        _ => return None,
    })
}
