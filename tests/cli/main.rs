//! The program `pt2`, each command in a process of its own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "tests fail by panicking"
)]

mod commands;
#[path = "../support/mod.rs"]
mod support;
mod timeline;
