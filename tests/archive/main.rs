//! Zip files and archive layouts: genuine, damaged, ambiguous, random and large ones.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "tests fail by panicking"
)]

#[path = "../archive_builder/mod.rs"]
mod archive_builder;
#[path = "../cpu_time/mod.rs"]
mod cpu_time;
mod damage;
mod exported;
mod files;
mod large;
mod random;
#[path = "../support/repository.rs"]
mod repository;
mod rules;
mod zipdiff;
