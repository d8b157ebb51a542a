//! `include/pt2.h` is what cbindgen makes of `src/capi`.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "tests fail by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The files that export something, in the order in which a reader of the header meets them.
const NOUNS: [&str; 16] = [
    "version",
    "error",
    "options",
    "op_library",
    "model",
    "run",
    "warm_up",
    "state",
    "parameter",
    "weights",
    "statistics",
    "port",
    "port_index",
    "tensor",
    "tensor_copy",
    "dlpack",
];
/// The files that export nothing.
const INNER: [&str; 4] = ["direction", "guard", "mod", "versioned_struct"];

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn generate() -> String {
    let config = cbindgen::Config::from_file(repository("cbindgen.toml")).unwrap();
    let sources = NOUNS.map(|noun| repository(&format!("src/capi/{noun}.rs")));
    let builder =
        sources.iter().fold(cbindgen::Builder::new().with_config(config), |b, path| b.with_src(path));
    let mut header = Vec::new();
    builder.generate().unwrap().write(&mut header);
    String::from_utf8(header).unwrap()
}

#[test]
fn every_file_of_the_room_is_known() {
    let files = fs::read_dir(repository("src/capi")).unwrap();
    let files = files.map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_string());
    let known = NOUNS.iter().chain(&INNER).map(|name| name.to_string());
    assert_eq!(files.collect::<BTreeSet<_>>(), known.collect());
}

#[test]
fn the_committed_header_is_the_generated_one() {
    let committed = fs::read_to_string(repository("include/pt2.h")).unwrap();
    assert!(committed == generate(), "include/pt2.h is out of date: run `make header`");
}

/// A C reader knows no Markdown headings, no links into Rust and no Rust types.
#[test]
fn the_header_speaks_c() {
    for (number, line) in generate().lines().enumerate() {
        let comment = line.trim_start().starts_with('*');
        let foreign = ["* #", "[`", "::", "```", "Option<", "&str", "`usize`", "`i64`"];
        let found = foreign.iter().find(|word| comment && line.contains(**word));
        assert!(found.is_none(), "line {}: {line}", number + 1);
    }
}

#[test]
fn every_function_says_who_owns_what_and_which_threads_may_call() {
    let header = generate();
    let functions = header.split("/**").skip(1).filter(|part| part.contains("(") && part.contains(" pt2_"));
    let functions: Vec<_> = functions.filter(|part| part.trim_end().contains(");")).collect();
    assert!(functions.len() > 30, "{} functions", functions.len());
    for function in functions.iter().filter(|function| !function.contains("typedef")) {
        assert!(function.contains("Threads: "), "{function}");
        let frees = function.contains("_free(") || function.contains("pt2_set_cpu_threads(");
        assert!(frees || function.contains("Ownership: "), "{function}");
    }
}

#[test]
#[ignore = "writes include/pt2.h; `make header` runs it"]
fn write() {
    fs::write(repository("include/pt2.h"), generate()).unwrap();
}
