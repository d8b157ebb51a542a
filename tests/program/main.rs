//! The serialized program: parsing, refusals, symbolic expressions and the check of inputs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "tests fail by panicking"
)]

#[path = "../cpu_time/mod.rs"]
mod cpu_time;
mod exported;
mod expressions;
mod input_check;
mod random;
mod refusals;
#[path = "../support/repository.rs"]
mod repository;
