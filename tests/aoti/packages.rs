//! Packages: loaded, run, and rewritten.

use crate::support::{Calls, repository};
use pt2::aoti::NativeCodeOptions;
use pt2::model::{LoadOptions, Model, RunOptions};
use pt2::program::PortKind;
use pt2::program::schema::ScalarType;
use pt2::torch::{Device, Tensor};
use std::env;
use std::fs;
use std::io::{Cursor, Read, Write};
use std::path::PathBuf;

/// Returns the path of a file of make_packages.py, in `PT2_TEST_PACKAGES` if that is set.
pub fn made(name: &str) -> PathBuf {
    let folder = env::var_os("PT2_TEST_PACKAGES").map_or_else(|| repository("build/packages"), PathBuf::from);
    let path = folder.join(name);
    assert!(path.exists(), "{} is missing: run `make test-compiled`", path.display());
    path
}

pub fn package(name: &str) -> PathBuf {
    made(&format!("{name}.pt2"))
}

/// Returns the device of the packages: `PT2_TEST_DEVICE`, or the CPU if that is not set.
pub fn device() -> Device {
    env::var("PT2_TEST_DEVICE").map_or(Device::Cpu, |device| device.parse().unwrap())
}

/// Returns the tensor on the device.
pub fn there(tensor: &Tensor) -> Tensor {
    match tensor.view().device == Some(device()) {
        true => tensor.clone(),
        false => tensor.dense_on(device()).unwrap(),
    }
}

pub fn allowed() -> LoadOptions {
    LoadOptions {
        native_code: NativeCodeOptions { allowed: true, ..NativeCodeOptions::default() },
        ..LoadOptions::default()
    }
}

pub fn load(name: &str, model: &str) -> Model {
    Model::load(&package(name), &LoadOptions { model: Some(model.into()), ..allowed() }).unwrap()
}

pub fn loaded_with(name: &str, change: impl FnOnce(&mut LoadOptions)) -> pt2::Result<Model> {
    let mut options = allowed();
    change(&mut options);
    Model::load(&package(name), &options)
}

/// Moves the inputs to the device and runs a model on them.
pub fn run(model: &Model, inputs: &[Option<Tensor>]) -> pt2::Result<Vec<Option<Tensor>>> {
    let inputs: Vec<_> = inputs.iter().map(|input| input.as_ref().map(there)).collect();
    model.run(&inputs, &RunOptions::default())
}

/// Returns the tensors of a stored call at the positions where the model takes tensors.
pub fn inputs(model: &Model, calls: &Calls, call: usize) -> Vec<Option<Tensor>> {
    let mut arrays = calls.inputs(call, model.interface().inputs.len()).into_iter();
    let ports = model.interface().inputs.iter();
    let tensor = |kind: &PortKind| matches!(kind, PortKind::Tensor(_));
    ports.map(|port| tensor(&port.kind).then(|| arrays.next().unwrap().unwrap().tensor())).collect()
}

pub fn bytes(outputs: &[Option<Tensor>]) -> Vec<Option<Vec<u8>>> {
    outputs.iter().map(|output| output.as_ref().map(|tensor| tensor.to_bytes().unwrap())).collect()
}

pub fn assert_like_pytorch(name: &str, model: &Model) {
    let calls = Calls::beside(&package(name).with_file_name(format!("{name}_{}.pt2", model.name())));
    assert!(calls.len() >= 2);
    for call in 0..calls.len() {
        let outputs = run(model, &inputs(model, &calls, call)).unwrap();
        let expected = calls.outputs(call, outputs.len());
        let expected: Vec<_> = expected.into_iter().map(|array| array.map(|array| array.bytes)).collect();
        assert_eq!(bytes(&outputs), expected, "{name}, call {call}");
    }
}

pub fn image(batch: i64, seed: u64) -> Tensor {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 24) as f32
    };
    let values: Vec<u8> = (0..batch * 768).flat_map(|_| next().to_le_bytes()).collect();
    Tensor::from_bytes(ScalarType::Float, &[batch, 3, 16, 16], &values).unwrap()
}

/// Returns a package with changed entries: None removes one.
pub fn rewritten(name: &str, change: impl Fn(&str, Vec<u8>) -> Option<(String, Vec<u8>)>) -> Vec<u8> {
    with_entries(name, &[], change)
}

/// Returns a package with an additional entry.
pub fn with_entry(name: &str, entry: &str) -> Vec<u8> {
    with_entries(name, &[entry], |name, bytes| Some((name.into(), bytes)))
}

fn with_entries(
    name: &str,
    more: &[&str],
    change: impl Fn(&str, Vec<u8>) -> Option<(String, Vec<u8>)>,
) -> Vec<u8> {
    let mut from = zip::ZipArchive::new(Cursor::new(fs::read(package(name)).unwrap())).unwrap();
    let mut to = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for index in 0..from.len() {
        let mut entry = from.by_index(index).unwrap();
        let name = entry.name().unwrap().to_string();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        if let Some((name, bytes)) = change(&name, bytes) {
            to.start_file(name, options).unwrap();
            to.write_all(&bytes).unwrap();
        }
    }
    for name in more {
        to.start_file(*name, options).unwrap();
        to.write_all(b"{}").unwrap();
    }
    to.finish().unwrap().into_inner()
}

pub fn metadata(name: &str, bytes: Vec<u8>, key: &str, value: &str) -> Option<(String, Vec<u8>)> {
    if !name.ends_with("_metadata.json") {
        return Some((name.into(), bytes));
    }
    let mut fields: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    fields[key] = value.into();
    Some((name.into(), fields.to_string().into_bytes()))
}

/// Returns the number of native libraries mapped in this process.
pub fn mapped() -> usize {
    fs::read_to_string("/proc/self/maps").unwrap().matches("pt2-native-code").count()
}
