//! libpt2 loads archives of `torch.export.save` and runs them on CPU and CUDA, without Python.
//!
//! The modules follow the data flow; each uses only modules above it. Code without libtorch is in
//! crates of its own: `pt2_format` (files), `pt2_graph` (the optimiser) and `pt2_host` (the process).

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
