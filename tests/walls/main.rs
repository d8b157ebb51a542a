//! Order of the crates, order of the rooms in each crate, and no circles between files.
//!
//! `CONTRIBUTING.md` describes the crates and rooms.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests fail by panicking")]

mod house;
mod source;

use house::House;
use std::fs;
use std::path::PathBuf;

/// Crates of the workspace, with the folders of their manifests. Each uses only crates above it.
const CRATES: [(&str, &str); 13] = [
    ("pt2-host", "crates/host"),
    ("pt2-cuda-driver", "crates/cuda-driver"),
    ("pt2-format", "crates/format"),
    ("pt2-graph", "crates/graph"),
    ("pt2-torch-sys", "crates/torch-sys"),
    ("pt2-torch", "crates/torch"),
    ("pt2", "."),
    ("pt2-cli-arguments", "crates/cli-arguments"),
    ("pt2-cli-commands", "crates/cli-commands"),
    ("pt2-core", "crates/core"),
    ("pt2-loader", "crates/loader"),
    ("pt2-library", "crates/libpt2"),
    ("pt2-cli", "crates/cli"),
];

/// Crates that build without libtorch.
const WITHOUT_LIBTORCH: [&str; 8] = [
    "pt2-host",
    "pt2-cuda-driver",
    "pt2-format",
    "pt2-graph",
    "pt2-cli-arguments",
    "pt2-loader",
    "pt2-library",
    "pt2-cli",
];

/// Crates of others that are for exactly one libtorch minor. Only tests may use them.
const OF_ONE_LIBTORCH: [&str; 2] = ["torch-sys", "tch"];

/// Crates that need libtorch.
const WITH_LIBTORCH: [&str; 5] = ["pt2-torch-sys", "pt2-torch", "pt2", "pt2-cli-commands", "pt2-core"];

fn repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn text(path: &str) -> String {
    fs::read_to_string(repository(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns the crates that a manifest names, except for its tests.
fn dependencies(folder: &str) -> Vec<String> {
    let manifest = text(&format!("{folder}/Cargo.toml"));
    let mut listed = false;
    let mut all = Vec::new();
    for line in manifest.lines() {
        if let Some(section) = line.strip_prefix('[') {
            listed = section.ends_with("dependencies]") && !section.contains("dev-dependencies");
        } else if let Some((name, _)) = line.split_once('=').filter(|_| listed) {
            all.push(name.trim().to_owned());
        }
    }
    all
}

/// Crates whose root files list rooms, in the order of data flow.
const ROOMS: [&str; 3] = ["pt2-format", "pt2-graph", "pt2"];

/// Modules, and crates, in which no file may take part in a circle.
const WITHOUT_CIRCLES: [&str; 6] =
    ["pt2-graph::passes", "pt2::aoti", "pt2::model", "pt2::capi", "pt2-loader", "pt2-cuda-driver"];

fn houses() -> impl Iterator<Item = House> {
    CRATES.iter().map(|(name, folder)| House::read(name, &repository(folder).join("src")))
}

#[test]
fn all_crates_are_listed() {
    let listed: Vec<String> =
        CRATES.iter().map(|(_, folder)| repository(folder).display().to_string()).collect();
    for entry in fs::read_dir(repository("crates")).unwrap() {
        let path = entry.unwrap().path().display().to_string();
        assert!(listed.contains(&path), "{path} is in no place of the order");
    }
}

#[test]
fn a_crate_uses_only_crates_above_it() {
    for (place, (name, folder)) in CRATES.iter().enumerate() {
        for used in dependencies(folder) {
            let level = CRATES.iter().position(|(other, _)| *other == used);
            assert!(level.is_none_or(|level| level < place), "{name} uses {used}");
        }
    }
}

#[test]
fn files_and_graphs_need_no_libtorch() {
    for (name, folder) in CRATES.iter().filter(|(name, _)| WITHOUT_LIBTORCH.contains(name)) {
        let used = dependencies(folder);
        let torch = used.iter().find(|used| WITH_LIBTORCH.contains(&used.as_str()));
        assert_eq!(torch, None, "{name} builds without libtorch");
    }
    assert!(dependencies("crates/torch").contains(&"pt2-torch-sys".to_owned()), "manifests are read");
}

#[test]
fn no_crate_is_tied_to_one_libtorch() {
    for (name, folder) in CRATES {
        let tied = dependencies(folder).into_iter().find(|used| OF_ONE_LIBTORCH.contains(&used.as_str()));
        assert_eq!(tied, None, "{name}");
    }
    let manifest = text("Cargo.toml");
    assert!(manifest.split("[dev-dependencies]").nth(1).is_some_and(|tests| tests.contains("tch = ")));
}

#[test]
fn files_and_graphs_have_no_unsafe_code() {
    assert!(text("crates/graph/src/lib.rs").contains("#![forbid(unsafe_code)]"));
    assert!(text("crates/format/src/lib.rs").contains("#![deny(unsafe_code)]"));
    let mut folders = vec![repository("crates/format/src")];
    let mut allowed = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let source = fs::read_to_string(&path).unwrap();
            let items = source.split("allow(unsafe_code").skip(1);
            allowed.extend(items.filter_map(|after| after.lines().nth(1)).map(str::to_owned));
        }
    }
    assert_eq!(allowed, ["mod memory_map;"], "only the memory map may use unsafe code");
}

#[test]
fn a_room_uses_only_rooms_above_it() {
    let ordered = houses().filter(|house| ROOMS.contains(&house.name.as_str()));
    let upward: Vec<String> = ordered.flat_map(|house| house.upward_imports()).collect();
    assert!(upward.is_empty(), "\n{}", upward.join("\n"));
}

#[test]
fn no_files_use_each_other() {
    let is_checked = |file: &String| {
        WITHOUT_CIRCLES.iter().any(|room| (file.clone() + "::").starts_with(&format!("{room}::")))
    };
    let circles: Vec<String> = houses()
        .flat_map(|house| house.circles())
        .filter(|circle| circle.iter().any(is_checked))
        .map(|circle| circle.join(" and "))
        .collect();
    assert!(circles.is_empty(), "files import from each other:\n{}", circles.join("\n"));
}

#[test]
fn imports_between_files_are_found() {
    let graph = House::read("pt2-graph", &repository("crates/graph/src"));
    let path = |text: &str| -> house::Module { text.split("::").map(str::to_owned).collect() };
    let imports = graph.imports();
    // Through `super`, through a re-export of the root, and of a module that the file declares.
    assert!(imports[&path("passes::cse")].contains(&path("passes::alias")));
    assert!(imports[&path("passes::cse")].contains(&path("graph::function")));
    assert!(imports[&path("passes")].contains(&path("passes::cse")));
}
