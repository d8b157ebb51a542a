//! Opens files and exposes their entries as slices of memory that are known to be inside the file.
//!
//! Owns: the zip format, the memory that holds a file, and the names inside a `.pt2` archive.
//!
//! Input: a path or bytes.
//!
//! Output: an [`Archive`] with its [`ArchiveLayout`] and its models, and a [`Slice`] for each entry
//! that keeps the memory alive. This room decompresses nothing and reads neither tensors nor JSON.
//!
//! A zip that can be read in two ways is rejected. Every byte of an accepted file belongs to
//! exactly one local header, body, data descriptor, directory or end record. Fields that are stored
//! twice must agree. Another zip reader, such as a scanner, therefore finds the same entries.

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
