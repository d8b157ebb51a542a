//! libpt2 loads what `torch.export.save` wrote and runs it on CPU and CUDA, with no Python in the process.
//!
//! The rooms, in the order the data flows. A room uses only rooms above it.

pub mod error;
mod lock;
mod missing_op_hint;
mod parallel;
#[cfg(feature = "torch")]
mod pool;
pub mod reserve;

pub mod timeline;

pub mod archive;
pub mod program;

#[cfg(feature = "torch")]
pub mod torch;

pub mod graph;

pub mod passes;

pub mod weights;

#[cfg(feature = "torch")]
pub mod plan;

#[cfg(feature = "torch")]
pub mod exec;

pub mod aoti;

#[cfg(feature = "torch")]
pub mod model;

#[cfg(feature = "torch")]
pub mod capi;

pub use error::{Error, Result};
