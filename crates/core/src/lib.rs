//! Core of libpt2, `libpt2_core.so`: the C ABI of the crate `pt2` as a shared library, which
//! `libpt2.so` (`crates/front`) opens.

pub use pt2::capi;

#[global_allocator]
static ALLOCATOR: pt2_host::reserve::Reserve = pt2_host::reserve::Reserve::new();
