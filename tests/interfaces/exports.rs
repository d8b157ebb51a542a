//! Every exported function uses the guard and is in the header, and the header declares no others.
//! Exports and dependencies of the library are tested where it is installed:
//! `tests/c/CMakeLists.txt`.

use crate::repository::repository;
use std::collections::BTreeSet;
use std::fs;

/// The text of each exported function: from `extern "C" fn pt2_` to the brace that closes it.
fn exported() -> Vec<(String, String)> {
    let mut functions = Vec::new();
    for file in fs::read_dir(repository("src/capi")).unwrap() {
        let source = fs::read_to_string(file.unwrap().path()).unwrap();
        for part in source.split("#[unsafe(no_mangle)]").skip(1) {
            let text = part.split_once("\n}").unwrap().0;
            let name = text.split_once("extern \"C\" fn ").unwrap().1.split_once('(').unwrap().0;
            functions.push((name.to_string(), text.to_string()));
        }
    }
    functions
}

fn names() -> BTreeSet<String> {
    exported().into_iter().map(|(name, _)| name).collect()
}

fn declared() -> BTreeSet<String> {
    let header = fs::read_to_string(repository("include/pt2.h")).unwrap();
    let code = header.lines().filter(|line| !line.trim_start().starts_with(['*', '/', '#', ' ']));
    let calls =
        code.filter_map(|line| line.split_once('(')).filter(|(before, _)| !before.contains("typedef"));
    let words = calls.filter_map(|(before, _)| before.split([' ', '*']).next_back());
    words.filter(|word| word.starts_with("pt2_")).map(str::to_owned).collect()
}

/// Functions outside of the guard cannot panic: clones of handles, and constants.
#[test]
fn every_exported_function_goes_through_the_guard() {
    for (name, text) in exported() {
        let body = text.split_once(" {\n").unwrap().1;
        let guards = ["guard(||", "guard_or(", "guard_error(", "guard_quietly("]
            .map(|guard| body.matches(guard).count());
        assert_eq!(guards.iter().sum::<usize>(), 1, "{name}");
        let tail = body.rsplit_once("guard").unwrap().1.trim_end();
        assert!(tail.ends_with(')') || tail.ends_with(';'), "{name} does something after the guard");
        let (before, _) = body.split_once("guard").unwrap();
        let lines = before.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"));
        for line in lines {
            let harmless = line.starts_with("let ") && line.contains("= ||")
                || line.starts_with("const ")
                || line.starts_with("static ");
            assert!(harmless, "{name} does this outside the guard: {line}");
        }
    }
}

#[test]
fn functions_are_exported_only_from_capi() {
    let mut folders = vec![repository("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs")
                && !path.parent().unwrap().ends_with("capi")
            {
                let source = fs::read_to_string(&path).unwrap();
                assert!(!source.contains("no_mangle"), "{}", path.display());
                assert!(!source.contains("export_name"), "{}", path.display());
            }
        }
    }
}

#[test]
fn the_header_declares_the_exported_functions() {
    assert!(names().len() > 30);
    assert!(names().iter().all(|name| name.starts_with("pt2_")));
    assert_eq!(declared(), names());
}
