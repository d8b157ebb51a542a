//! Core of libpt2: the C ABI of the crate `pt2` as a shared library, which `libpt2.so`
//! (`crates/loader`) opens.
//!
//! A build for one version of libtorch is an engine. It is installed as `libpt2_core-2.11.so` or
//! the like, and lies in cargo's folders as `libpt2_core.so`.

mod command;

pub use pt2::capi;

/// Ends calls in flight and refuses later ones, because the main thread exits. It is not part of
/// the C ABI: `libpt2.so` calls it.
#[unsafe(no_mangle)]
pub extern "C" fn libpt2_core_close() {
    pt2::torch::process::end_calls();
}

/// Returns the ABI version of the libtorch that this build is for. It is not part of the C ABI, and
/// calls nothing of libtorch.
#[unsafe(no_mangle)]
pub extern "C" fn libpt2_core_libtorch() -> u64 {
    pt2::torch::built_for()
}

#[global_allocator]
static ALLOCATOR: pt2_host::reserve::Reserve = pt2_host::reserve::Reserve::new();
