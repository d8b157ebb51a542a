//! NumPy's names of element types.

use pt2::program::schema::ScalarType;

/// Suffix of the name of a uint16 array that holds the bit patterns of bfloat16.
pub const BIT_PATTERN: &str = "_bf16";

const DESCRS: [(ScalarType, &str); 14] = [
    (ScalarType::Bool, "|b1"),
    (ScalarType::Byte, "|u1"),
    (ScalarType::Char, "|i1"),
    (ScalarType::Short, "<i2"),
    (ScalarType::UInt16, "<u2"),
    (ScalarType::Int, "<i4"),
    (ScalarType::UInt32, "<u4"),
    (ScalarType::Long, "<i8"),
    (ScalarType::UInt64, "<u8"),
    (ScalarType::Half, "<f2"),
    (ScalarType::Float, "<f4"),
    (ScalarType::Double, "<f8"),
    (ScalarType::ComplexFloat, "<c8"),
    (ScalarType::ComplexDouble, "<c16"),
];

/// Returns NumPy's name of an element type, if it has one. bfloat16 is stored as its bit pattern.
pub fn descr(dtype: ScalarType) -> Option<&'static str> {
    let dtype = if dtype == ScalarType::BFloat16 { ScalarType::UInt16 } else { dtype };
    DESCRS.iter().find(|(known, _)| *known == dtype).map(|(_, descr)| *descr)
}

/// Element type of a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Element {
    pub dtype: ScalarType,
    pub big_endian: bool,
}

impl Element {
    /// Parses the type in a header: byte order, a letter and a number of bytes, such as `<f4`.
    pub fn of(descr: &str) -> Result<Element, String> {
        let (order, sized) = descr.split_at_checked(1).unwrap_or((descr, ""));
        let found = DESCRS.iter().find(|(_, known)| known.get(1..) == Some(sized));
        match (found, order) {
            (Some((dtype, known)), "<" | ">" | "=" | "|") if order != "|" || known.starts_with('|') => {
                let big_endian = order == ">" || order == "=" && cfg!(target_endian = "big");
                Ok(Element { dtype: *dtype, big_endian })
            }
            _ => Err(format!("its dtype `{}` is none of a tensor", descr.escape_debug())),
        }
    }

    /// Converts elements of a file to little-endian.
    pub fn to_little_endian(self, bytes: &mut [u8]) {
        let numbers = match self.dtype {
            ScalarType::ComplexFloat | ScalarType::ComplexDouble => 2,
            _ => 1,
        };
        if self.big_endian {
            bytes.chunks_exact_mut(self.dtype.size_in_bytes() / numbers).for_each(<[u8]>::reverse);
        }
    }
}
