//! Programs to build graphs from.

use crate::repository::{repository, writer_versions};
use pt2_format::archive::{Archive, ReadOptions};
use pt2_format::program::Program;
use pt2_format::program::schema::GraphModule;
use std::path::{Path, PathBuf};

/// Every genuine archive, the oldest first.
pub fn archives() -> Vec<PathBuf> {
    let folder = repository("tests/archives");
    let files =
        writer_versions().into_iter().flat_map(|version| std::fs::read_dir(folder.join(version)).unwrap());
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "pt2"));
    paths
}

pub fn load(path: &Path) -> GraphModule {
    let archive = Archive::open(path, &ReadOptions::default()).unwrap();
    let json = archive.program(&archive.models()[0]).unwrap();
    Program::parse(json.bytes()).unwrap().graph_module
}

/// The program of one archive, such as `2.11.0/tree`.
pub fn program(name: &str) -> GraphModule {
    load(&repository(&format!("tests/archives/{name}.pt2")))
}
