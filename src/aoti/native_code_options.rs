//! Options for native code: the permissions that the caller grants.

use super::Digest;
use std::path::PathBuf;

/// Permissions for native code. Loading it executes it with all rights of the process.
#[derive(Clone, Debug, Default)]
pub struct NativeCodeOptions {
    /// True if compiled code may be loaded at all.
    pub allowed: bool,
    /// Expected [`digest_of`](super::digest_of) the code; None for any.
    pub digest: Option<Digest>,
    /// Number of concurrent calls; None for the default.
    pub instances: Option<usize>,
    /// Folder for links to CUDA kernels while the model lives; None for the system's temporary
    /// folder.
    pub folder: Option<PathBuf>,
}
