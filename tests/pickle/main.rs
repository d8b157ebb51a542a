//! Tensors in `torch.save` files: opcodes, forms of tensors, hostile pickles and exported files.
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
