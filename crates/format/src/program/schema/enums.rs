//! The numbered enums of the schema: element types, layouts, memory formats, argument kinds.
//!
//! From `torch/_export/serde/schema.py` 2.11 (8.17); element types 33 to 35 came with 8.20 (2.15).
//! The number 0 stands for "unknown" there and is never written.

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
        /// Two halves.
        ComplexHalf = 9,
        /// Two singles.
        ComplexFloat = 10,
        /// Two doubles.
        ComplexDouble = 11,
        /// One byte, zero or one.
        Bool = 12,
        /// The upper half of a single.
        BFloat16 = 13,
        /// Unsigned 16-bit integer.
        UInt16 = 28,
        /// 8 bits: 4 of exponent, 3 of mantissa, no infinities.
        Float8E4M3Fn = 29,
        /// 8 bits: 5 of exponent, 2 of mantissa.
        Float8E5M2 = 30,
        /// As `Float8E4M3Fn`, with one zero only.
        Float8E4M3FnUz = 31,
        /// As `Float8E5M2`, with one zero only and no infinities.
        Float8E5M2FnUz = 32,
        /// 8 bits of exponent.
        Float8E8M0Fnu = 33,
        /// Unsigned 32-bit integer.
        UInt32 = 34,
        /// Unsigned 64-bit integer.
        UInt64 = 35,
    }
}

impl ScalarType {
    /// The bytes that one element takes.
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

    /// The name in Python, without `torch.`.
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
    /// How a tensor's elements are stored.
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
        /// oneDNN's own form.
        Mkldnn = 6,
        /// Sizes, strides and an offset.
        Strided = 7,
    }
}

numbered! {
    /// The order of a dense tensor's dimensions in memory.
    MemoryFormat {
        /// The last dimension is the innermost.
        ContiguousFormat = 1,
        /// The second dimension of four is the innermost.
        ChannelsLast = 2,
        /// The second dimension of five is the innermost.
        ChannelsLast3d = 3,
        /// The order of the input.
        PreserveFormat = 4,
    }
}

numbered! {
    /// How a node passes an argument.
    ArgumentKind {
        /// Not said.
        Unknown = 0,
        /// By position.
        Positional = 1,
        /// By name.
        Keyword = 2,
    }
}
