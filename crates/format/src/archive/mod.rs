//! From a file to named slices of memory that are known to lie inside it.
//!
//! The room owns the zip format, the memory a file is held in and the names inside a `.pt2` archive. A path or
//! bytes enter; an [`Archive`] leaves: which [`ArchiveLayout`] it is, which models it holds, and for each entry a
//! [`Slice`] that keeps the memory alive. Nothing is decompressed, no tensor and no JSON is looked at.
//!
//! A zip has one meaning or it is refused. Every byte of an accepted file belongs to exactly one thing: a local
//! header, a body, a data descriptor, the directory or the end record; what is said twice is said alike. So a
//! scanner that reads the same file with another zip reader has seen the same entries.

#![deny(clippy::indexing_slicing)]

mod aoti_entries;
mod archive_index;
mod central_directory;
mod cross_check;
mod data_descriptor;
mod end_of_central_directory;
mod entry;
mod entry_name;
mod error_context;
mod extra_fields;
mod file;
mod layout;
mod le_reader;
mod local_header;
#[allow(unsafe_code, reason = "a memory map is bytes that the operating system owns")]
mod memory_map;
mod name_collisions;
mod options;
mod payload;
mod pt2_archive;
mod reader;
mod slice;
mod sniff;
mod zip_file;

pub use entry::Entry;
pub use layout::ArchiveLayout;
pub use options::{MemoryMode, ReadOptions};
pub use payload::Payload;
pub use pt2_archive::Archive;
pub use slice::Slice;
pub use zip_file::ZipFile;
