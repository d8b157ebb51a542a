//! Sources of the changes: the parts of the repository's archives.

use crate::repository::repository;
use pt2_format::archive::{Archive, ReadOptions};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The entries of a zip.
pub type Entries = Vec<(String, Vec<u8>)>;

fn archives() -> Vec<(String, Archive)> {
    let tests = repository("tests");
    let folders = ["archives", "special_archives"].map(|folder| tests.join(folder));
    let versions = folders.iter().flat_map(|folder| list(folder)).filter(|path| path.is_dir());
    let mut files: Vec<PathBuf> = versions.flat_map(|version| list(&version)).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "pt2"));
    files.sort();
    let open = |path: &PathBuf| Archive::open(path, &ReadOptions::default()).unwrap();
    files.iter().map(|path| (path.strip_prefix(&tests).unwrap().display().to_string(), open(path))).collect()
}

fn list(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// The entries whose names end like this.
fn entries(archive: &Archive, end: &str) -> Entries {
    let names = archive.entries().map(|entry| entry.name().to_owned()).filter(|name| name.ends_with(end));
    names.map(|name| (name.clone(), archive.entry(&name).unwrap().bytes().to_vec())).collect()
}

/// Returns every program. The few with bare `NaN` are invalid JSON to other readers and are left
/// out.
pub fn programs() -> impl Iterator<Item = (String, Value)> {
    archives().into_iter().flat_map(|(name, archive)| {
        let read = |model: &String| serde_json::from_slice(archive.program(model).unwrap().bytes()).ok();
        archive.models().iter().filter_map(read).map(|json| (name.clone(), json)).collect::<Vec<_>>()
    })
}

/// Returns every list of stored tensors: its archive's name and entries, its entry, its JSON.
pub fn lists() -> impl Iterator<Item = (String, Entries, String, Value)> {
    archives().into_iter().flat_map(|(name, archive)| {
        let all = entries(&archive, "");
        let of = |(entry, json): (String, Vec<u8>)| {
            (name.clone(), all.clone(), entry, serde_json::from_slice(&json).unwrap())
        };
        let lists = entries(&archive, "_config.json").into_iter();
        lists.filter(|(_, json)| json.len() > 20).map(of).collect::<Vec<_>>()
    })
}

/// Returns every torch.save file in an archive that a load reads, as the entries of its zip.
/// Example inputs are not read.
pub fn pickles() -> impl Iterator<Item = (String, Entries)> {
    archives().into_iter().flat_map(|(name, archive)| {
        let files = entries(&archive, ".pt").into_iter().filter(|(entry, _)| !entry.contains("_inputs"));
        let inner = |(entry, _): (String, Vec<u8>)| {
            let file = archive.entry(&entry).unwrap().nested(true).ok()?;
            let body = |key: &str| (key.to_owned(), file.get(key).unwrap().bytes().to_vec());
            Some((format!("{name} {entry}"), file.names().map(body).collect::<Entries>()))
        };
        files
            .filter_map(inner)
            .filter(|(_, held)| held.iter().any(|(key, _)| key.ends_with("/data.pkl")))
            .collect::<Vec<_>>()
    })
}
