//! The ways in which PyTorch has laid out `.pt2` archives.

/// How an archive is laid out. Which one it is follows from its entries, never from a version number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArchiveLayout {
    /// Five files without a folder; weights and constants are torch.save files. PyTorch 2.6 and 2.7.
    Flat,
    /// Models in a folder; weights and constants are torch.save files. PyTorch 2.8.
    Pickled,
    /// Models in a folder; each weight is an entry of its own, listed by a JSON file. PyTorch 2.9 and later.
    Raw,
    /// No program, only code that AOTInductor compiled.
    Compiled,
}
