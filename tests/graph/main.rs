//! Graphs: built from genuine and invalid programs, written and parsed as text, and rewritten by
//! the passes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "tests fail by panicking"
)]

mod argument_kinds;
mod assumed_sizes;
mod batch_norm;
mod channels_last;
mod conv_fusion;
mod cse;
mod default_dtype;
mod exported_programs;
mod invalid_programs;
mod kernel_strides;
mod linear_fusion;
mod optimizer;
mod passes;
mod pointwise_fusion;
mod reinplace;
#[path = "../support/repository.rs"]
mod repository;
mod sample_programs;
mod space_to_depth;
mod split_const_subgraph;
mod text;
mod untyped_fields;
mod verify;
