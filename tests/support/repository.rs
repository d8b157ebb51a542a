//! Paths of files in the repository.

use std::path::{Path, PathBuf};

/// Returns the absolute path of a file of the repository, for tests of the root package and of crates below it.
pub fn repository(path: &str) -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = package.ancestors().find(|folder| folder.join("tests/archives").is_dir());
    root.unwrap_or(package).join(path)
}
