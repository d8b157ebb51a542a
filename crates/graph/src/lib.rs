//! Graph of a program and the passes over it, without libtorch.
//!
//! `passes` and `stored_meta` use `graph`. Neither uses the other.
#![forbid(unsafe_code)]

pub mod graph;
pub mod passes;
pub mod stored_meta;

use pt2_format::{Error, Result, program, timeline};
