//! Rules for the sources of the C interface and the C++ shim.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "tests fail by panicking"
)]

mod exports;
mod header;
#[path = "../support/repository.rs"]
mod repository;
mod shim_exceptions;
