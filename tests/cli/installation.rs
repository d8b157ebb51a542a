//! The program `pt2` in installations: its search for the engine, and its errors without an engine
//! or libtorch.

use crate::prefix::{alone, engine, folder, install, install_without_libtorch};
use crate::repository::repository;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

fn said(program: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    outcome(Command::new(program).args(arguments).output().unwrap())
}

fn outcome(output: Output) -> (Option<i32>, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Asserts that the program runs a command of the engine.
fn assert_runs(program: &Path) {
    let archive = repository("tests/archives/2.11.0/tree.pt2").display().to_string();
    let (code, out, error) = said(program, &["inspect", &archive]);
    assert_eq!((code, error.as_str()), (Some(0), ""), "{}", program.display());
    assert!(out.contains("runs here  yes\n"), "{out}");
}

/// Asserts that the program ends with 1 and a sentence, which is returned.
fn refused(program: &mut Command) -> String {
    let (code, out, error) = outcome(program.args(["inspect", "missing.pt2"]).output().unwrap());
    assert_eq!((code, out.as_str()), (Some(1), ""), "{error}");
    assert!(error.starts_with("pt2: ") && error.lines().count() == 1, "{error}");
    error
}

#[test]
fn a_prefix_can_be_moved() {
    let folder = folder();
    let (old, new) = (folder.path().join("old"), folder.path().join("new place"));
    install(&old);
    assert_runs(&old.join("bin/pt2"));
    fs::rename(&old, &new).unwrap();
    assert_runs(&new.join("bin/pt2"));
}

#[test]
fn links_lead_to_the_prefix() {
    let folder = folder();
    let (prefix, link) = (folder.path().join("prefix"), folder.path().join("linked"));
    install(&prefix);
    symlink(prefix.join("bin/pt2"), &link).unwrap();
    assert_runs(&link);
    let mut found = Command::new("linked");
    found.env("PATH", folder.path()).current_dir("/");
    assert!(refused(&mut found).contains("cannot read `missing.pt2`"));
}

#[test]
fn the_engine_may_lie_beside_the_program() {
    let folder = folder();
    let program = folder.path().join("pt2");
    fs::hard_link(env!("CARGO_BIN_EXE_pt2"), &program).unwrap();
    symlink(engine(), folder.path().join("libpt2_core.so")).unwrap();
    assert_runs(&program);
}

#[test]
fn a_missing_engine_is_a_sentence() {
    let folder = folder();
    let program = alone(folder.path());
    let error = refused(&mut Command::new(&program));
    for place in ["bin", "lib"] {
        assert!(error.contains(&folder.path().join(place).display().to_string()), "{error}");
    }
}

#[test]
fn help_version_and_usage_need_no_engine() {
    let folder = folder();
    let program = alone(folder.path());
    for arguments in [&["--help"][..], &["run", "--help"], &["help", "inspect"]] {
        let (code, out, error) = said(&program, arguments);
        assert_eq!((code, error.as_str()), (Some(0), ""), "{arguments:?}");
        assert!(out.contains("Usage: pt2 "), "{out}");
    }
    let (code, out, error) = said(&program, &["--version"]);
    let version = format!("pt2 {} (no usable libtorch)\n", env!("CARGO_PKG_VERSION"));
    assert_eq!((code, out, error.as_str()), (Some(0), version, ""));
    for arguments in [&["walk"][..], &["run", "a.pt2", "--device", "gpu"], &["run", "a.pt2", "--memory", "x"]]
    {
        let (code, out, error) = said(&program, arguments);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{error}");
    }
}

#[test]
fn a_missing_libtorch_is_a_sentence() {
    let folder = folder();
    install_without_libtorch(folder.path());
    let mut program = Command::new(folder.path().join("bin/pt2"));
    let error = refused(program.env_remove("PT2_LIBTORCH").env_remove("VIRTUAL_ENV"));
    assert!(
        error.contains("libpt2 could not load libtorch: ") && error.contains("libtorch_cpu.so"),
        "{error}"
    );
    let mut program = Command::new(folder.path().join("bin/pt2"));
    let error = refused(program.env("PT2_LIBTORCH", folder.path()));
    assert!(error.contains("PT2_LIBTORCH") && error.contains("libtorch_cpu.so"), "{error}");
    fs::write(folder.path().join("libtorch_cpu.so"), "no library").unwrap();
    let mut program = Command::new(folder.path().join("bin/pt2"));
    let error = refused(program.env("PT2_LIBTORCH", folder.path()));
    assert!(error.contains("libtorch_cpu.so"), "{error}");
}

#[test]
fn a_damaged_engine_is_a_sentence() {
    let folder = folder();
    install(folder.path());
    let engine = folder.path().join("lib/libpt2_core.so");
    fs::remove_file(&engine).unwrap();
    fs::write(&engine, "no library").unwrap();
    let error = refused(&mut Command::new(folder.path().join("bin/pt2")));
    assert!(error.contains("libpt2_core.so"), "{error}");
}
