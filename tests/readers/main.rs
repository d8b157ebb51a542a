//! Readers of foreign text take time and memory in proportion to any text. Each test states the
//! factor; without its cap, a reader would take quadratic or exponential time or memory for these
//! inputs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "tests fail by panicking"
)]

#[path = "../archive_builder/mod.rs"]
mod archive_builder;
mod archives;
#[path = "../cpu_time/mod.rs"]
mod cpu_time;
mod elf;
mod expressions;
mod guards;
mod ledger;
mod mutations;
mod packages;
mod programs;
mod tensors;
mod trees;
