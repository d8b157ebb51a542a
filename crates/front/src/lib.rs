//! The shared library that programs link, `libpt2.so`. It needs nothing but the C library; libtorch and all the rest of
//! libpt2, `libpt2_core.so` beside it (`crates/core`), are opened by the first call that needs them.
//!
//! So a program links without libtorch, a libtorch that is missing is an error that the program can tell, a process
//! that never loads a model never pays for it, and on a CUDA device the driver, which nothing of libtorch is needed for,
//! starts while libtorch is loaded.
//!
//! Every function of `include/pt2.h` stands here: most of them pass their arguments on (`functions`). The header says what
//! they do and what a caller must see to.

mod core;
mod error;
mod functions;
mod load;
mod missing;
mod opening;
mod result;
mod version;
