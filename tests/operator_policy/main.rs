//! Operator policy: the operators that a program may call, and the errors for all others.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests fail by panicking")]

#[path = "../support/repository.rs"]
mod repository;

use pt2::Error;
use pt2::model::{LoadOptions, Model};
use pt2::plan::Policy;
use pt2::torch::{self, CudaPolicy, operator_names};
use repository::repository;
use std::fs;
use std::path::Path;

fn admits(policy: &Policy, full: &str) -> bool {
    let (namespace, rest) = full.split_once("::").unwrap();
    let (name, overload) = rest.split_once('.').unwrap();
    policy.admits(namespace, name, overload)
}

/// Every operator of the linked libtorch that the policy rejects. If a new libtorch changes this
/// list, decide about each operator, then rewrite it with `PT2_WRITE=1 cargo test --test
/// operator_policy -- libtorch`.
#[test]
fn refused_operators_of_libtorch() {
    torch::start(CudaPolicy::Never);
    let names = operator_names().unwrap();
    assert!(names.len() > 3000, "{} operators", names.len());
    let mut refused: Vec<String> =
        names.into_iter().filter(|name| !admits(&Policy::default(), name)).collect();
    refused.sort();
    let list = repository("tests/operator_policy/refused.txt");
    let text = refused.join("\n") + "\n";
    if std::env::var_os("PT2_WRITE").is_some() {
        fs::write(&list, &text).unwrap();
    }
    assert_eq!(text, fs::read_to_string(list).unwrap());
}

#[test]
fn operators_are_allowed_by_name() {
    torch::start(CudaPolicy::Never);
    for (entry, out) in [("aten::from_file", true), ("aten::from_file.default", false), ("aten::*", true)] {
        let allowed = [entry.to_string()];
        let policy = Policy::allowing(&allowed).unwrap();
        assert!(admits(&policy, "aten::from_file.default"));
        assert_eq!(admits(&policy, "aten::from_file.out"), out, "{entry}");
        assert!(!admits(&policy, "mkldnn::data_ptr.default"));
    }
    for entry in ["", "from_file", "aten::", "::from_file", "*"] {
        let error = Policy::allowing(&[entry.to_string()]).unwrap_err();
        assert!(matches!(error, Error::Argument { argument: "options.allowed_operators", .. }));
    }
}

/// The program creates a file and maps it. Loading it must not.
#[test]
fn a_program_that_opens_a_file() {
    let path = repository("tests/special_archives/2.11.0/from_file.pt2");
    let error = Model::load(&path, &LoadOptions::default()).unwrap_err();
    let Error::ForbiddenOperators { operators, reasons } = error.root() else { panic!("{error}") };
    assert_eq!(operators, &["aten::from_file.default"]);
    assert!(reasons[0].contains("reaches outside of tensors"), "{reasons:?}");
    let text = error.to_string();
    assert!(text.contains(reasons[0]) && text.contains("allowed_operators"), "{text}");
    let allowed_operators = vec!["aten::from_file".into()];
    Model::load(&path, &LoadOptions { allowed_operators, ..LoadOptions::default() }).unwrap();
    assert!(!Path::new("pt2-test-from-file.bin").exists());
}
