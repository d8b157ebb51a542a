//! libpt2 loads what `torch.export.save` wrote and runs it on CPU and CUDA, with no Python in the process.
//!
//! The rooms, in the order the data flows. A room uses only rooms above it. What needs no libtorch is in the crates
//! `pt2_format` (files) and `pt2_graph` (the optimiser).

mod pool;

pub use pt2_format::{archive, error, program, timeline};
pub use pt2_graph::{graph, passes};
pub use pt2_torch as torch;

pub mod weights;

pub mod plan;

pub mod exec;

pub mod aoti;

pub mod model;

pub mod capi;

pub use pt2_format::{Error, Result};

use pt2_format::{lock, parallel};
use pt2_host::reserve;
