//! Programs exported on another device, or for strides that this device's kernels do not return, at
//! both levels, compared with PyTorch's outputs. `tests/python/make_device_archives.py` makes the
//! archives.

use crate::support::{Array, Calls, repository};
use pt2::model::{LoadOptions, Model, Optimization, RunOptions};
use pt2::program::schema::ScalarType;
use pt2::torch::{Device, Tensor};
use std::path::{Path, PathBuf};

fn archives(device: &str) -> Vec<PathBuf> {
    let folder = repository("tests/device_archives").join(device);
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.extension().is_some_and(|extension| extension == "pt2"));
    found.sort();
    assert!(!found.is_empty());
    found
}

/// Kernels of two devices round differently. A program with autocast rounds to half precision
/// inside, even if it returns float32.
fn tolerance(path: &Path, dtype: ScalarType) -> f64 {
    let casts = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("autocast"));
    match dtype {
        _ if casts => 2e-2,
        ScalarType::Half => 1e-2,
        _ => 2e-4,
    }
}

#[track_caller]
fn check(path: &Path, optimization: Optimization) {
    let options = LoadOptions { device: Some(Device::Cpu), optimization, ..LoadOptions::default() };
    let model = Model::load(path, &options).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let calls = Calls::beside(path);
    assert_eq!(calls.len(), 2, "{}", path.display());
    for call in 0..calls.len() {
        let inputs: Vec<Option<Tensor>> = calls
            .inputs(call, model.interface().inputs.len())
            .iter()
            .map(|array| array.as_ref().map(Array::tensor))
            .collect();
        let outputs = model
            .run(&inputs, &RunOptions::default())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for (index, expected) in calls.outputs(call, outputs.len()).iter().enumerate() {
            let at = format!("{}, call {call}, output {index}", path.display());
            let (Some(output), Some(expected)) = (&outputs[index], expected) else {
                panic!("{at} is missing")
            };
            let found = Array::of(output);
            assert_eq!(found.dtype, expected.dtype, "{at}");
            let error = found.error_against(expected);
            assert!(error < tolerance(path, expected.dtype), "{at}: error {error}");
        }
    }
}

#[test]
fn views_fit_all_strides_a_kernel_returns() {
    for path in archives("cpu") {
        check(&path, Optimization::Exact);
        check(&path, Optimization::Fast);
    }
}

#[test]
fn programs_exported_on_cuda_run_on_the_cpu() {
    for path in archives("cuda") {
        check(&path, Optimization::Exact);
        check(&path, Optimization::Fast);
    }
}
