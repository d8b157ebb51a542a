//! Numbered enums of the schema: element types, layouts, memory formats, argument kinds.
//!
//! From `torch/_export/serde/schema.py`, 2.9 (8.14) to 2.15 (8.20). Element types 33 to 35 were added
//! in 2.12. The number 0 means "unknown" there and is never written.

use super::record::numbered;

numbered! {
    /// The element type of a tensor.
    ScalarType {
        /// Unsigned 8-bit integer.
        Byte = 1,
        /// Signed 8-bit integer.
        Char = 2,
        /// Signed 16-bit integer.
        Short = 3,
        /// Signed 32-bit integer.
        Int = 4,
        /// Signed 64-bit integer.
        Long = 5,
        /// IEEE half precision.
        Half = 6,
        /// IEEE single precision.
        Float = 7,
        /// IEEE double precision.
        Double = 8,
        /// Two half-precision floats.
        ComplexHalf = 9,
        /// Two single-precision floats.
        ComplexFloat = 10,
        /// Two double-precision floats.
        ComplexDouble = 11,
        /// One byte, zero or one.
        Bool = 12,
        /// The upper half of a single-precision float.
        BFloat16 = 13,
        /// Unsigned 16-bit integer.
        UInt16 = 28,
        /// 8 bits: 4 exponent bits, 3 mantissa bits, no infinities.
        Float8E4M3Fn = 29,
        /// 8 bits: 5 exponent bits, 2 mantissa bits.
        Float8E5M2 = 30,
        /// `Float8E4M3Fn` without negative zero.
        Float8E4M3FnUz = 31,
        /// `Float8E5M2` without negative zero and infinities.
        Float8E5M2FnUz = 32,
        /// 8 exponent bits without sign and mantissa.
        Float8E8M0Fnu = 33,
        /// Unsigned 32-bit integer.
        UInt32 = 34,
        /// Unsigned 64-bit integer.
        UInt64 = 35,
    }
}

impl ScalarType {
    /// Returns the size of an element in bytes.
    pub const fn size_in_bytes(self) -> usize {
        use ScalarType::*;
        match self {
            Byte | Char | Bool | Float8E4M3Fn | Float8E5M2 | Float8E4M3FnUz | Float8E5M2FnUz
            | Float8E8M0Fnu => 1,
            Short | Half | BFloat16 | UInt16 => 2,
            Int | Float | ComplexHalf | UInt32 => 4,
            Long | Double | ComplexFloat | UInt64 => 8,
            ComplexDouble => 16,
        }
    }

    /// Returns the name in Python, without `torch.`.
    pub const fn name(self) -> &'static str {
        use ScalarType::*;
        match self {
            Byte => "uint8",
            Char => "int8",
            Short => "int16",
            Int => "int32",
            Long => "int64",
            Half => "float16",
            Float => "float32",
            Double => "float64",
            ComplexHalf => "complex32",
            ComplexFloat => "complex64",
            ComplexDouble => "complex128",
            Bool => "bool",
            BFloat16 => "bfloat16",
            UInt16 => "uint16",
            Float8E4M3Fn => "float8_e4m3fn",
            Float8E5M2 => "float8_e5m2",
            Float8E4M3FnUz => "float8_e4m3fnuz",
            Float8E5M2FnUz => "float8_e5m2fnuz",
            Float8E8M0Fnu => "float8_e8m0fnu",
            UInt32 => "uint32",
            UInt64 => "uint64",
        }
    }
}

impl std::fmt::Display for ScalarType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

numbered! {
    /// Storage layout of a tensor.
    Layout {
        /// Coordinates and values.
        SparseCoo = 1,
        /// Compressed rows.
        SparseCsr = 2,
        /// Compressed columns.
        SparseCsc = 3,
        /// Compressed rows of blocks.
        SparseBsr = 4,
        /// Compressed columns of blocks.
        SparseBsc = 5,
        /// The internal layout of oneDNN.
        Mkldnn = 6,
        /// Sizes, strides and an offset.
        Strided = 7,
    }
}

numbered! {
    /// The order of a dense tensor's dimensions in memory.
    MemoryFormat {
        /// Contiguous: the last dimension is the innermost.
        ContiguousFormat = 1,
        /// Channels-last: the second of four dimensions is the innermost.
        ChannelsLast = 2,
        /// Channels-last 3-D: the second of five dimensions is the innermost.
        ChannelsLast3d = 3,
        /// The memory format of the input.
        PreserveFormat = 4,
    }
}

numbered! {
    /// Way in which a node passes an argument.
    ArgumentKind {
        /// Not recorded.
        Unknown = 0,
        /// By position.
        Positional = 1,
        /// By name.
        Keyword = 2,
    }
}
