//! Options for reading an archive.

/// Options for reading an archive.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// Selects whether the file is mapped or copied.
    pub memory: MemoryMode,
    /// True if entries are compared with their checksums before use.
    pub verify: bool,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self { memory: MemoryMode::Auto, verify: true }
    }
}

/// Memory that holds the bytes of a file for as long as the archive or anything derived from it
/// lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MemoryMode {
    /// `Map` if only this user or root can change the file, and `Copy` otherwise.
    ///
    /// Copies if group or others may write the file, or if its owner is neither this user nor root.
    /// Also copies files on a network, FUSE or pseudo file system.
    #[default]
    Auto,
    /// Private pages of the file. Loading returns at once and shares the page cache. Writes never
    /// reach the file.
    ///
    /// A process that shrinks the mapped file kills this process (SIGBUS). A process that writes to
    /// the file changes the weights.
    Map,
    /// A copy on the heap. The file may change or vanish afterwards.
    Copy,
}
