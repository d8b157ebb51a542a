//! The reader of `torch.save` files: genuine files give what `torch.load` gives, all others a typed error.
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
mod tensor_forms;
