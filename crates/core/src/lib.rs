//! `libpt2_core.so`: the C ABI of the crate `pt2` as a shared library, which `libpt2.so` (`crates/front`) opens.

#[cfg(feature = "torch")]
pub use pt2::capi;

#[global_allocator]
static ALLOCATOR: pt2::reserve::Reserve = pt2::reserve::Reserve::new();
