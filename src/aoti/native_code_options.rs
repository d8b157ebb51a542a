//! Options for native code: what the caller lets it do.

use super::Digest;
use std::path::PathBuf;

/// The caller's word on native code. Loading it is executing it, with all the rights of the process.
#[derive(Clone, Debug, Default)]
pub struct NativeCodeOptions {
    /// Whether compiled code may be loaded at all.
    pub allowed: bool,
    /// What [`digest_of`](super::digest_of) its bytes has to be; None for any.
    pub digest: Option<Digest>,
    /// How many calls may be inside of it at once; None for the library's choice.
    pub instances: Option<usize>,
    /// Below which folder the links to CUDA kernels lie while the model lives; None for the system's for temporary
    /// files.
    pub folder: Option<PathBuf>,
}
