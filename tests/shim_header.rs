//! `crates/torch-sys/cpp/pt2_shim.h` is generated from `crates/torch-sys/src`: the C++ shim includes
//! it, so a definition that differs from its declaration in Rust does not compile.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "tests fail by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

/// Declares the functions of the header.
const LINKAGE: &str = "extern \"C\" {";
/// The files that declare nothing for the shim.
const INNER: [&str; 3] = ["lib.rs", "abi_version.rs", "warmup_conv.rs"];

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn header() -> PathBuf {
    repository("crates/torch-sys/cpp/pt2_shim.h")
}

fn sources() -> Vec<PathBuf> {
    let entries = fs::read_dir(repository("crates/torch-sys/src")).unwrap();
    let files = entries.map(|entry| entry.unwrap().path());
    let inner = |path: &PathBuf| INNER.iter().any(|name| path.ends_with(name));
    let mut files: Vec<_> = files.filter(|path| !inner(path)).collect();
    files.sort();
    files
}

/// Returns the header that cbindgen writes with `prefix` before the names of types.
fn declarations(prefix: &str) -> String {
    let mut config = cbindgen::Config::from_file(repository("crates/torch-sys/cbindgen.toml")).unwrap();
    config.export.prefix = Some(prefix.to_string());
    let builder = cbindgen::Builder::new().with_config(config);
    let builder = sources().into_iter().fold(builder, |builder, path| builder.with_src(path));
    let mut text = Vec::new();
    builder.generate().unwrap().write(&mut text);
    String::from_utf8(text).unwrap()
}

/// Types in namespace `pt2`, and functions outside of it: GCC only warns if a function with C linkage
/// differs from its declaration in another namespace.
fn generate() -> String {
    let (unqualified, qualified) = (declarations(""), declarations("pt2::"));
    let (types, _) = unqualified.split_once(LINKAGE).unwrap();
    let (_, functions) = qualified.split_once(LINKAGE).unwrap();
    let (top, types) = types.split_once("<cstdint>\n").unwrap();
    let types = types.trim();
    let functions = functions.replace("\nextern ", "\n").replace(");\n", ") noexcept;\n");
    let text = format!(
        "{top}<cstdint>\n\nnamespace at {{\nclass Tensor;\n}}\n\nnamespace pt2 {{\n\n{types}\n\n}}  // namespace pt2\n\n{LINKAGE}{functions}"
    );
    // Links of rustdoc.
    text.replace("[`", "`").replace("`]", "`")
}

#[test]
fn the_committed_header_is_the_generated_one() {
    let committed = fs::read_to_string(header()).unwrap();
    assert!(committed == generate(), "pt2_shim.h is out of date: run `make header`");
}

#[test]
fn every_declared_function_is_in_the_header() {
    let text = generate();
    let all = sources().into_iter().map(|path| fs::read_to_string(path).unwrap());
    let names = all.flat_map(|source| {
        let functions = source.split("pub fn shim_").skip(1);
        functions.map(|rest| format!(" *shim_{}", rest.split('(').next().unwrap())).collect::<Vec<_>>()
    });
    let names: Vec<_> = names.collect();
    assert!(names.len() > 100, "{} functions", names.len());
    for name in names {
        let declared =
            text.contains(&format!("{name}(")) || text.contains(&format!("{}(", name.replace('*', "")));
        assert!(declared, "{name}");
    }
}

#[test]
#[ignore = "writes pt2_shim.h; `make header` runs it"]
fn write() {
    fs::write(header(), generate()).unwrap();
}
