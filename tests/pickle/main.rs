//! Reader of `torch.save` files: genuine files read as by `torch.load`, all others are typed
//! errors.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "tests fail by panicking"
)]

#[path = "../archive_builder/mod.rs"]
mod archive_builder;
mod assemble;
mod exported_files;
mod hostile;
mod opcodes;
#[path = "../support/repository.rs"]
mod repository;
mod tensor_forms;
