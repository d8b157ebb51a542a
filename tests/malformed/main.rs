//! Malformed input: a typed error or a result, in bounded time and memory.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "tests fail by panicking"
)]

#[path = "../archive_builder/mod.rs"]
mod archive_builder;
mod changed_values;
mod changes;
mod cost;
#[path = "../cpu_time/mod.rs"]
mod cpu_time;
mod kinds;
mod lists;
#[path = "../support/repository.rs"]
mod repository;
mod sources;
