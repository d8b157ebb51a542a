//! Every torch.save file of the genuine archives, compared with `torch.load` (`expect.py`).

use crate::repository::repository;
use pt2_format::archive::{Archive, ReadOptions};
use pt2_format::weights::pickle::{SavedTensor, read_tensors};
use serde_json::{Value, json};

fn describe(tensor: &SavedTensor) -> Value {
    json!({
        "name": tensor.name,
        "dtype": tensor.dtype.name(),
        "sizes": tensor.sizes,
        "strides": tensor.strides,
        "offset": tensor.offset,
        "requires_grad": tensor.requires_grad,
        "bytes": tensor.storage.bytes().len(),
        "crc32": crc32fast::hash(tensor.storage.bytes()),
    })
}

#[test]
fn weights_and_constants_equal_torch_load() {
    let expected: Value = serde_json::from_str(include_str!("expected.json")).unwrap();
    let folder = repository("tests/archives");
    let mut compared = 0;
    for file in expected.as_array().unwrap() {
        let path = folder.join(file["archive"].as_str().unwrap());
        let archive = Archive::open(&path, &ReadOptions::default()).unwrap();
        let container = archive.entry(file["entry"].as_str().unwrap()).unwrap().nested(true).unwrap();
        let found: Vec<Value> = read_tensors(&container).unwrap().iter().map(describe).collect();
        assert_eq!(Value::Array(found), file["tensors"], "{file}");
        compared += 1;
    }
    assert_eq!(compared, 38);
}

#[test]
fn tied_weights_share_their_bytes() {
    let path = repository("tests/archives/2.8.0/dtypes.pt2");
    let archive = Archive::open(&path, &ReadOptions::default()).unwrap();
    let container = archive.entry("dtypes/data/weights/model.pt").unwrap().nested(true).unwrap();
    let tensors = read_tensors(&container).unwrap();
    let of = |name: &str| tensors.iter().find(|tensor| tensor.name == name).unwrap().storage.as_ptr();
    assert_eq!(of("a.weight"), of("b.weight"));
    assert_ne!(of("a.weight"), of("t"));
}
