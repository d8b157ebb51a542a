//! One input in the wrapper source, with its conditions and declarations.

use crate::program::schema::ScalarType;

/// Limit on the rank of an input.
const MAX_RANK: usize = 64;

/// A tensor that a library takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeclaredInput {
    /// The name in the source, such as `arg9_1`.
    pub name: String,
    /// The element type. None if the source declares none that is known here; sizes are then not
    /// checked.
    pub dtype: Option<ScalarType>,
    /// The required device type, as a number of libtorch.
    pub device_type: Option<i32>,
    /// The sizes.
    pub sizes: Vec<DeclaredSize>,
    /// The strides. None for a stride that depends on sizes.
    pub strides: Vec<Option<i64>>,
}

/// Constraints on one size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeclaredSize {
    /// The only size that the code was compiled for, if it is a single one.
    pub fixed: Option<i64>,
    /// The lower bound.
    pub min: Option<i64>,
    /// The upper bound as written, which may represent infinity.
    pub max: Option<i64>,
    /// The variable that holds the size, such as `s77`.
    pub symbol: Option<String>,
}

impl DeclaredSize {
    /// Returns the upper bound, if it is finite. `int_oo` is written as the largest int or one
    /// less.
    pub fn max(&self) -> Option<i64> {
        self.max.filter(|max| *max < i64::MAX - 1)
    }
}

/// Statement of one line about an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fact<'a> {
    Dtype(Option<ScalarType>),
    DeviceType(Option<i32>),
    /// The only size of a dimension.
    Size(usize, i64),
    Stride(usize, i64),
    Least(usize, i64),
    Greatest(usize, i64),
    /// The variable that holds a size.
    Symbol(usize, &'a str),
}

impl<'a> Fact<'a> {
    /// Parses a line into the name of an input and the statement about it.
    pub(super) fn read(line: &'a str) -> Option<(&'a str, Fact<'a>)> {
        match line.strip_prefix("if (") {
            Some(rest) => condition(rest.strip_suffix(") {")?),
            None => declaration(line.strip_suffix(';')?),
        }
    }

    fn dimension(self) -> Option<usize> {
        match self {
            Fact::Size(at, _)
            | Fact::Stride(at, _)
            | Fact::Least(at, _)
            | Fact::Greatest(at, _)
            | Fact::Symbol(at, _) => Some(at),
            Fact::Dtype(_) | Fact::DeviceType(_) => None,
        }
    }
}

/// Parses a condition such as `16 != arg9_1_size[2]`.
fn condition(text: &str) -> Option<(&str, Fact<'_>)> {
    if let Some((value, variable)) = text.split_once(" != ") {
        let value = value.parse().ok()?;
        let size = element(variable, "_size").map(|(input, at)| (input, Fact::Size(at, value)));
        return size
            .or_else(|| element(variable, "_stride").map(|(input, at)| (input, Fact::Stride(at, value))));
    }
    if let Some((variable, value)) = text.split_once(" < ") {
        let (input, at) = element(variable, "_size")?;
        return Some((input, Fact::Least(at, value.parse().ok()?)));
    }
    let (variable, value) = text.split_once(" > ")?;
    let (input, at) = element(variable, "_size")?;
    Some((input, Fact::Greatest(at, value.parse().ok()?)))
}

/// Parses a declaration such as `int32_t arg9_1_expected_dtype = aoti_torch_dtype_float32()`.
fn declaration(text: &str) -> Option<(&str, Fact<'_>)> {
    let (declared, value) = text.split_once(" = ")?;
    let (kind, variable) = declared.split_once(' ')?;
    match kind {
        "int64_t" => element(value, "_size").map(|(input, at)| (input, Fact::Symbol(at, variable))),
        "int32_t" => {
            if let Some(input) = variable.strip_suffix("_expected_dtype") {
                return Some((input, Fact::Dtype(dtype(value))));
            }
            let input = variable.strip_suffix("_expected_device_type")?;
            Some((input, Fact::DeviceType(value.parse().ok())))
        }
        _ => None,
    }
}

/// Splits `arg9_1_size[2]` into the name of the input and the index.
fn element<'a>(text: &'a str, array: &str) -> Option<(&'a str, usize)> {
    let (variable, index) = text.strip_suffix(']')?.rsplit_once('[')?;
    let index = index.parse().ok().filter(|index| *index < MAX_RANK)?;
    Some((variable.strip_suffix(array)?, index))
}

impl DeclaredInput {
    /// Records a fact. Returns the number of dimensions that it adds, or None if these are more
    /// than `most`. In the latter case the fact is not recorded.
    pub(super) fn take(&mut self, fact: Fact, most: usize) -> Option<usize> {
        let rank = self.sizes.len();
        let wanted = fact.dimension().map_or(rank, |at| rank.max(at + 1));
        if wanted - rank > most {
            return None;
        }
        self.sizes.resize_with(wanted, DeclaredSize::default);
        self.strides.resize(wanted, None);
        match fact {
            Fact::Dtype(dtype) => self.dtype = dtype,
            Fact::DeviceType(kind) => self.device_type = kind,
            Fact::Stride(at, value) => {
                if let Some(stride) = self.strides.get_mut(at) {
                    *stride = Some(value);
                }
            }
            Fact::Size(at, value) => self.size(at, |size| size.fixed = Some(value)),
            Fact::Least(at, value) => self.size(at, |size| size.min = Some(value)),
            Fact::Greatest(at, value) => self.size(at, |size| size.max = Some(value)),
            Fact::Symbol(at, name) => {
                self.size(at, |size| size.symbol = size.symbol.take().or_else(|| Some(name.into())));
            }
        }
        Some(wanted - rank)
    }

    fn size(&mut self, at: usize, change: impl FnOnce(&mut DeclaredSize)) {
        if let Some(size) = self.sizes.get_mut(at) {
            change(size);
        }
    }
}

/// Parses the functions that `aoti_torch/c/shim.h` 2.11 has for element types.
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
