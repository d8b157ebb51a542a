//! Converts dtypes, layouts and memory formats from the schema's numbers to libtorch's.
//!
//! Source: `torch/headeronly/core/ScalarType.h`, `c10/core/Layout.h` and `c10/core/MemoryFormat.h`,
//! 2.11.

use pt2_format::program::schema::{Layout, MemoryFormat, ScalarType};

const DTYPES: [(ScalarType, i32); 21] = [
    (ScalarType::Byte, 0),
    (ScalarType::Char, 1),
    (ScalarType::Short, 2),
    (ScalarType::Int, 3),
    (ScalarType::Long, 4),
    (ScalarType::Half, 5),
    (ScalarType::Float, 6),
    (ScalarType::Double, 7),
    (ScalarType::ComplexHalf, 8),
    (ScalarType::ComplexFloat, 9),
    (ScalarType::ComplexDouble, 10),
    (ScalarType::Bool, 11),
    (ScalarType::BFloat16, 15),
    (ScalarType::Float8E5M2, 23),
    (ScalarType::Float8E4M3Fn, 24),
    (ScalarType::Float8E5M2FnUz, 25),
    (ScalarType::Float8E4M3FnUz, 26),
    (ScalarType::UInt16, 27),
    (ScalarType::UInt32, 28),
    (ScalarType::UInt64, 29),
    (ScalarType::Float8E8M0Fnu, 44),
];

/// Returns libtorch's number of a dtype.
pub fn dtype_to_torch(dtype: ScalarType) -> i32 {
    DTYPES.iter().find(|(ours, _)| *ours == dtype).map_or(-1, |(_, theirs)| *theirs)
}

/// Returns the dtype of libtorch's number; None if an exported program cannot hold it.
pub fn dtype_from_torch(number: i32) -> Option<ScalarType> {
    DTYPES.iter().find(|(_, theirs)| *theirs == number).map(|(ours, _)| *ours)
}

/// Returns libtorch's number of a layout.
pub fn layout_to_torch(layout: Layout) -> i64 {
    match layout {
        Layout::Strided => 0,
        Layout::SparseCoo => 1,
        Layout::SparseCsr => 2,
        Layout::Mkldnn => 3,
        Layout::SparseCsc => 4,
        Layout::SparseBsr => 5,
        Layout::SparseBsc => 6,
    }
}

/// Returns libtorch's number of a memory format.
pub fn memory_format_to_torch(format: MemoryFormat) -> i64 {
    match format {
        MemoryFormat::ContiguousFormat => 0,
        MemoryFormat::PreserveFormat => 1,
        MemoryFormat::ChannelsLast => 2,
        MemoryFormat::ChannelsLast3d => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn element_types_keep_their_size_on_the_way() {
        for (ours, theirs) in DTYPES {
            assert_eq!(dtype_from_torch(dtype_to_torch(ours)), Some(ours));
            let tensor = crate::Tensor::empty(&[3], theirs, crate::Device::Cpu, false).unwrap();
            assert_eq!(tensor.view().bytes, 3 * ours.size_in_bytes() as i64, "{ours}");
        }
    }
}
