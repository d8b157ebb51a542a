//! Functions of the shared library that programs link, `libpt2.so` (`crates/libpt2`), and of the
//! program `pt2`. They need only the C library.
//!
//! libtorch and the rest of libpt2 are opened by the first call that needs them. The rest is an
//! engine beside this library (`crates/core`), of which there is one for each version of libtorch:
//! `libpt2_core-2.11.so` and others. This has five effects:
//!
//! - A program runs with the libtorch that is there.
//! - A program links without libtorch.
//! - A missing libtorch is an error that the program can handle.
//! - A process that never loads a model never loads libtorch.
//! - On a CUDA device the driver, which needs nothing of libtorch, starts while libtorch is loaded.
//!
//! Every function of `include/pt2.h` is defined here. Most of them forward their arguments
//! (`forwarded`). The header documents their behaviour and their contracts.

mod advice;
mod attempt;
mod core;
mod engine;
mod engine_folder;
mod error;
mod forwarded;
mod functions;
mod library_name;
mod libtorch;
mod libtorch_version;
mod load;
mod missing;
mod opening;
mod owned_error;
mod program;
mod report;
mod result;
mod set_libtorch;
mod version;

pub use program::{carry_out, doctor, libtorch_version};
