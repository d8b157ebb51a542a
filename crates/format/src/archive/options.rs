//! What a caller may choose about reading.

/// How an archive is read.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// Where the file's bytes are kept.
    pub memory: MemoryMode,
    /// Whether entries are compared with their checksums before they are used.
    pub verify: bool,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self { memory: MemoryMode::Auto, verify: true }
    }
}

/// Where the bytes of a file are kept while the archive, or anything made from it, lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MemoryMode {
    /// `Map`, unless somebody else may change the file: `Copy` if group or others may write it, if its owner is
    /// neither this user nor root, or if it lies on a network, FUSE or pseudo file system.
    #[default]
    Auto,
    /// Private pages of the file. Loads at once and shares the page cache; writes never reach the file. Whoever
    /// shrinks the file while it is mapped kills the process (SIGBUS), whoever writes it changes the weights.
    Map,
    /// A copy on the heap. The file may change or vanish afterwards.
    Copy,
}
