//! Layouts that PyTorch has used for `.pt2` archives.

/// Layout of an archive, derived from its entries and never from a version number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArchiveLayout {
    /// PyTorch 2.6 and 2.7: five files without a folder; weights and constants are torch.save
    /// files.
    Flat,
    /// PyTorch 2.8: models in a folder; weights and constants are torch.save files.
    Pickled,
    /// PyTorch 2.9 and later: models in a folder; each tensor is an entry, listed by a JSON file.
    Raw,
    /// Code compiled by AOTInductor without an exported program.
    Compiled,
}
