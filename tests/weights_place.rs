//! Weights on the CPU are the archive's own memory, and tensors that share a storage share it here too.
#![cfg(feature = "torch")]
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests fail by panicking")]

#[allow(dead_code, reason = "each test takes what it needs")]
mod support;

use pt2::archive::{Archive, ReadOptions};
use pt2::torch::{Device, Tensor};
use pt2::weights::pickle::SavedTensor;
use pt2::weights::place::{Weights, place};
use support::repository;

fn placed(name: &str) -> (Vec<SavedTensor>, Weights) {
    let archive =
        Archive::open(&repository(&format!("tests/archives/{name}.pt2")), &ReadOptions::default()).unwrap();
    let stored = pt2::weights::read(&archive, "model").unwrap();
    let tensors = place(&stored, Device::Cpu, true).unwrap();
    (stored, tensors)
}

fn address(tensor: &Tensor) -> usize {
    tensor.view().data.addr()
}

#[test]
fn aligned_entries_are_not_copied() {
    for name in ["2.11.0/mini_resnet", "2.15.0/mini_resnet", "2.8.0/mini_resnet"] {
        let (stored, tensors) = placed(name);
        for saved in &stored {
            let offset = saved.offset as usize * saved.dtype.size_in_bytes();
            assert_eq!(
                address(&tensors.tensor(&saved.name).unwrap()),
                saved.storage.as_ptr().addr() + offset,
                "{name} {}",
                saved.name
            );
        }
    }
}

#[test]
fn every_weight_is_aligned_as_libtorch_aligns_its_own() {
    for name in ["2.6.0/mini_resnet", "2.7.1/dtypes", "2.11.0/dtypes"] {
        let (stored, tensors) = placed(name);
        for saved in stored.iter().filter(|saved| saved.offset == 0) {
            assert!(
                address(&tensors.tensor(&saved.name).unwrap()).is_multiple_of(64),
                "{name} {}",
                saved.name
            );
        }
    }
}

#[test]
fn tied_weights_stay_tied() {
    for name in ["2.6.0/dtypes", "2.8.0/dtypes", "2.11.0/dtypes", "2.15.0/dtypes"] {
        let (_, tensors) = placed(name);
        assert_eq!(
            address(&tensors.tensor("a.weight").unwrap()),
            address(&tensors.tensor("b.weight").unwrap()),
            "{name}"
        );
        let transposed = tensors.tensor("t").unwrap();
        assert_eq!(
            (transposed.view().sizes, transposed.view().strides),
            (&[5, 4][..], &[1, 5][..]),
            "{name}"
        );
    }
}

#[test]
fn copies_are_apart_and_the_rest_is_shared() {
    let (stored, weights) = placed("2.11.0/aliases");
    let written = weights.storages_of(["rows"]);
    let copies = weights.with_copies(&written, Device::Cpu).unwrap();
    for saved in &stored {
        let [original, copy] = [&weights, &copies].map(|weights| weights.tensor(&saved.name).unwrap());
        assert_eq!(original.to_bytes().unwrap(), copy.to_bytes().unwrap());
        assert_eq!(address(&original) == address(&copy), saved.name == "apart", "{}", saved.name);
    }
    let address_in_copies = |name: &str| address(&copies.tensor(name).unwrap());
    assert_eq!(address_in_copies("rows"), address_in_copies("whole") + 6 * 4);
    assert_eq!(address_in_copies("turned"), address_in_copies("whole"));
    assert!(weights.tensor("missing").is_err());
}
