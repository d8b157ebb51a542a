//! From a file to named slices of memory that are known to lie inside it.
//!
//! The room owns the zip format, the memory a file is held in and the names inside a `.pt2` archive. A path or
//! bytes enter; an [`Archive`] leaves: which [`Layout`] it is, which models it holds, and for each entry a
//! [`Slice`] that keeps the memory alive. Nothing is decompressed, no tensor and no JSON is looked at.
//!
//! A zip has one meaning or it is refused. Every byte of an accepted file belongs to exactly one thing: a local
//! header, a body, a data descriptor, the directory or the end record; what is said twice is said alike. So a
//! scanner that reads the same file with another zip reader has seen the same entries.

#![deny(clippy::indexing_slicing)]

mod blame;
mod central;
mod compiled;
mod container;
mod contents;
mod descriptor;
mod end;
mod entry;
mod extra;
mod fields;
mod file;
mod guess;
mod layout;
mod local;
mod map;
mod name;
mod names;
mod options;
mod pt2;
mod second;
mod slice;
mod stored;
mod walk;

pub use container::Container;
pub use entry::Entry;
pub use layout::Layout;
pub use options::{Memory, ReadOptions};
pub use pt2::Archive;
pub use slice::Slice;
pub use stored::Stored;
