//! Name of libtorch's library.

/// Library that every engine needs.
pub const LIBTORCH: &str = "libtorch_cpu.so";
