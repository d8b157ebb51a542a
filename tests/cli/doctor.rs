//! `pt2 doctor`: the report on libtorch, and its exit code.

use crate::prefix::{alone, folder, install, install_without_libtorch};
use std::path::Path;
use std::process::Command;

/// Returns the report with its exit code. Nothing is printed elsewhere.
fn report(program: &Path, libtorch: Option<&Path>) -> (Option<i32>, String) {
    let mut command = Command::new(program);
    command.arg("doctor").env_remove("PT2_LIBTORCH").env_remove("VIRTUAL_ENV");
    if let Some(libtorch) = libtorch {
        command.env("PT2_LIBTORCH", libtorch);
    }
    let output = command.output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

fn assert_has(report: &str, parts: &[&str]) {
    for part in parts {
        assert!(report.contains(part), "{part}: {report}");
    }
}

#[test]
fn a_working_installation_is_described() {
    let (folder, libtorch) = (folder(), std::env::var("LIBTORCH").unwrap());
    install(folder.path());
    let library = folder.path().canonicalize().unwrap().join("lib");
    let engine = format!("engine: {}\n", library.join("libpt2_core.so").display());
    for named in [None, Some(Path::new(&libtorch))] {
        let (code, report) = report(&folder.path().join("bin/pt2"), named);
        assert_eq!(code, Some(0), "{report}");
        let place = format!("folder: {}\n", library.display());
        assert_has(&report, &["libpt2 ", &place, &engine, "\nlibtorch 2.", "libtorch_cpu.so"]);
        assert!(!report.contains("error: "), "{report}");
    }
}

#[test]
fn a_missing_libtorch_is_described() {
    let folder = folder();
    install_without_libtorch(folder.path());
    let (code, said) = report(&folder.path().join("bin/pt2"), None);
    assert_eq!(code, Some(1), "{said}");
    assert_has(&said, &["PT2_LIBTORCH: not set", "VIRTUAL_ENV: not set", "error: ", "install libtorch"]);
    let (code, said) = report(&folder.path().join("bin/pt2"), Some(folder.path()));
    let named = format!("PT2_LIBTORCH is `{}`, which has neither", folder.path().display());
    assert_eq!(code, Some(1), "{said}");
    assert_has(&said, &[&named, "error: "]);
}

#[test]
fn a_missing_engine_is_described() {
    let folder = folder();
    let (code, said) = report(&alone(folder.path()), None);
    assert_eq!(code, Some(1), "{said}");
    let places = ["bin", "lib"].map(|place| folder.path().join(place).display().to_string());
    assert_has(&said, &[&places[0], &places[1], "error: "]);
    assert!(!said.contains("looked for"), "{said}");
}
