//! Every archive that PyTorch 2.6 to 2.15 wrote gives, call after call, what PyTorch gave.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "tests fail by panicking"
)]

mod support;

use pt2::model::{LoadOptions, Model, Optimization, RunOptions};
use support::{Array, calls, repository};

const VERSIONS: [&str; 5] = ["2.6.0", "2.7.1", "2.8.0", "2.11.0", "2.15.0"];

fn check(case: &str) {
    for version in VERSIONS {
        let path = repository(&format!("tests/archives/{version}/{case}.pt2"));
        if !path.exists() {
            // `make_archives.py` says which version could not export which case.
            assert!(case == "train_buffers" && version < "2.8", "{} is missing", path.display());
            continue;
        }
        for optimization in [Optimization::Exact, Optimization::Fast] {
            check_one(&path, LoadOptions { optimization, ..LoadOptions::default() });
        }
    }
}

fn check_one(path: &std::path::Path, options: LoadOptions) {
    let model = Model::load(path, &options).unwrap();
    for (index, call) in calls(&path.with_extension("npz")).iter().enumerate() {
        let inputs: Vec<_> = call.inputs.iter().map(|input| Some(input.tensor())).collect();
        let outputs = model.run(&inputs, &RunOptions::default()).unwrap();
        assert_eq!(outputs.len(), call.outputs.len());
        for (output, expected) in outputs.iter().zip(&call.outputs) {
            let error = Array::of(output.as_ref().unwrap()).error_against(expected);
            assert!(error < 1e-5, "{} call {index}: error {error}", path.display());
        }
    }
}

#[test]
fn mini_resnet() {
    check("mini_resnet");
}

#[test]
fn mini_resnet_train() {
    check("mini_resnet_train");
}

#[test]
fn train_buffers() {
    check("train_buffers");
}

#[test]
fn tree() {
    check("tree");
}

#[test]
fn dtypes() {
    check("dtypes");
}

#[test]
fn mutation() {
    check("mutation");
}

#[test]
fn control_flow_is_refused_by_name() {
    for version in VERSIONS {
        let path = repository(&format!("tests/archives/{version}/branch.pt2"));
        let error = Model::load(&path, &LoadOptions::default()).unwrap_err();
        assert!(
            matches!(error.root(), pt2::Error::MissingOperators { operators } if operators == &["higher_order::cond"])
        );
    }
}
