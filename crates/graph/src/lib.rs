//! The graph of a program and the passes over it, without libtorch.
//!
//! The rooms, in the order the data flows. A room uses only rooms above it.
#![forbid(unsafe_code)]

pub mod graph;
pub mod passes;
pub mod stored_meta;

use pt2_format::{Error, Result, program, timeline};
