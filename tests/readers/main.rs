//! Every reader of foreign text takes time and memory in proportion to the text, whatever it says. Each test names
//! the factor; each input is one that a reader without its cap takes quadratic or exponential time or memory for.
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
