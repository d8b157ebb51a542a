//! Graphs: built from genuine programs and from lying ones, as text both ways, and improved by the passes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "tests fail by panicking"
)]

mod assumed_sizes;
mod batch_norm;
mod common;
mod default_dtype;
mod fuse;
mod genuine;
mod in_place;
mod layout;
mod lies;
mod linear;
mod once;
mod optimizer;
mod passes;
mod pointwise;
mod programs;
mod space_to_depth;
mod strides;
mod text;
mod verify;
