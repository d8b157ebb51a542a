//! The program `pt2`, each command in a process of its own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "tests fail by panicking"
)]

#[allow(dead_code, reason = "shared with other test binaries")]
#[path = "../support/array.rs"]
mod array;
mod commands;
mod doctor;
mod installation;
mod prefix;
#[path = "../support/repository.rs"]
mod repository;
mod timeline;
