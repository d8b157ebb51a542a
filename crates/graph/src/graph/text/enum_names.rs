//! Names of the schema's enums, spelled as in Python.

use crate::program::schema::{Layout, MemoryFormat, ScalarType};

const LAYOUTS: [(Layout, &str); 7] = [
    (Layout::SparseCoo, "sparse_coo"),
    (Layout::SparseCsr, "sparse_csr"),
    (Layout::SparseCsc, "sparse_csc"),
    (Layout::SparseBsr, "sparse_bsr"),
    (Layout::SparseBsc, "sparse_bsc"),
    (Layout::Mkldnn, "_mkldnn"),
    (Layout::Strided, "strided"),
];

const FORMATS: [(MemoryFormat, &str); 4] = [
    (MemoryFormat::ContiguousFormat, "contiguous_format"),
    (MemoryFormat::ChannelsLast, "channels_last"),
    (MemoryFormat::ChannelsLast3d, "channels_last_3d"),
    (MemoryFormat::PreserveFormat, "preserve_format"),
];

pub fn layout_name(layout: Layout) -> &'static str {
    LAYOUTS.iter().find(|(known, _)| *known == layout).map_or("", |(_, name)| name)
}

pub fn layout(name: &str) -> Option<Layout> {
    LAYOUTS.iter().find(|(_, known)| *known == name).map(|(layout, _)| *layout)
}

pub fn format_name(format: MemoryFormat) -> &'static str {
    FORMATS.iter().find(|(known, _)| *known == format).map_or("", |(_, name)| name)
}

pub fn format(name: &str) -> Option<MemoryFormat> {
    FORMATS.iter().find(|(_, known)| *known == name).map(|(format, _)| *format)
}

pub fn scalar_type(name: &str) -> Option<ScalarType> {
    let all = (0..=i64::from(u8::MAX)).filter_map(|number| ScalarType::try_from(number).ok());
    { all }.find(|dtype| dtype.name() == name)
}
