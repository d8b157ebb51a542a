//! Reads files that `torch.export.save` and AOTInductor wrote, without libtorch.
//!
//! The rooms are listed in the order of data flow. A room uses only rooms above it.
#![deny(unsafe_code)]

mod missing_op_hint;

pub mod error;
pub mod lock;
pub mod parallel;

pub mod timeline;

pub mod archive;
pub mod program;

pub mod weights;

pub mod aoti;

pub use error::{Error, Result};
