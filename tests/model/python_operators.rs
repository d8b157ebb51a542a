//! Operators that only Python registers, in PyTorch and its companion packages, compared with
//! Python's implementations. `tests/python_operators/make_archives.py` makes the archives.

use crate::support::{Array, Calls, repository};
use pt2::model::{LoadOptions, Model, Optimization, RunOptions};
use pt2::torch::Tensor;
use std::fs;
use std::path::{Path, PathBuf};

/// Name of programs that draw random numbers, which have a test of their own.
const DRAWS: &str = "random";

fn archives() -> Vec<PathBuf> {
    let files = fs::read_dir(repository("tests/python_operators")).unwrap();
    let paths = files.map(|file| file.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|ending| ending == "pt2")).collect()
}

fn run(model: &Model, calls: &Calls, call: usize) -> Vec<Option<Tensor>> {
    let inputs = calls.inputs(call, model.interface().inputs.len());
    let inputs: Vec<Option<Tensor>> = inputs.iter().map(|array| array.as_ref().map(Array::tensor)).collect();
    model.run(&inputs, &RunOptions::default()).unwrap()
}

/// Returns the differences from Python's outputs.
fn differences(path: &Path, optimization: Optimization, allowed: f64) -> Vec<String> {
    let model = match Model::load(path, &LoadOptions { optimization, ..LoadOptions::default() }) {
        Ok(model) => model,
        Err(error) => return vec![error.to_string()],
    };
    let calls = Calls::beside(path);
    assert!(calls.len() > 0);
    let mut differences = Vec::new();
    for call in 0..calls.len() {
        let outputs = run(&model, &calls, call);
        for (index, expected) in calls.outputs(call, outputs.len()).iter().enumerate() {
            let ours = Array::of(outputs[index].as_ref().unwrap());
            let error = ours.error_against(expected.as_ref().unwrap());
            if error > allowed {
                differences.push(format!("{} call {call} output {index}: error {error}", path.display()));
            }
        }
    }
    differences
}

#[test]
fn every_archive_equals_python() {
    let all: Vec<PathBuf> =
        archives().into_iter().filter(|path| path.file_stem().unwrap() != DRAWS).collect();
    assert_eq!(all.len(), 11);
    let exact = all.iter().flat_map(|path| differences(path, Optimization::Exact, 0.0));
    let fast = all.iter().flat_map(|path| differences(path, Optimization::Fast, 1e-5));
    assert_eq!(exact.chain(fast).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn draws_have_the_distribution_that_was_asked_for() {
    let path = repository("tests/python_operators/random.pt2");
    let model = Model::load(&path, &LoadOptions::default()).unwrap();
    let outputs = run(&model, &Calls::beside(&path), 0);
    let moments = |index: usize| {
        let values = Array::of(outputs[index].as_ref().unwrap()).floats();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
        let within = |low: f64, high: f64| values.iter().all(|value| (low..=high).contains(value));
        (mean, variance.sqrt(), within(-1.0, 3.0))
    };
    let ((mean, deviation, _), (middle, spread, within)) = (moments(1), moments(2));
    assert!((mean - 2.0).abs() < 0.05 && (deviation - 0.5).abs() < 0.05, "{mean} {deviation}");
    assert!(
        (middle - 1.0).abs() < 0.1 && (spread - 4.0 / 12f64.sqrt()).abs() < 0.1 && within,
        "{middle} {spread}"
    );
}
