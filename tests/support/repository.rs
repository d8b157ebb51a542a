//! Paths of files in the repository.

use std::path::{Path, PathBuf};

/// Returns the absolute path of a file of the repository, for tests of the root package and of crates below it.
pub fn repository(path: &str) -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = package.ancestors().find(|folder| folder.join("tests/archives").is_dir());
    root.unwrap_or(package).join(path)
}

/// Returns the versions of PyTorch that wrote `tests/archives`, the oldest first.
#[allow(dead_code, reason = "each test binary uses a part of this file")]
pub fn writer_versions() -> Vec<String> {
    let folders = std::fs::read_dir(repository("tests/archives")).unwrap().map(|entry| entry.unwrap());
    let names = folders.filter(|entry| entry.path().join("tree.pt2").exists());
    let mut names: Vec<String> = names.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort_by_key(|name| name.split('.').map(|part| part.parse().unwrap()).collect::<Vec<u32>>());
    assert!(names.len() >= 10, "{names:?}");
    names
}
