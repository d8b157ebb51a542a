//! Weights on the CPU are the archive's own memory, and tensors that share a storage share it here too.
#![cfg(feature = "torch")]
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests fail by panicking")]

#[allow(dead_code, reason = "each test takes what it needs")]
mod support;

use pt2::archive::{Archive, ReadOptions};
use pt2::torch::{Device, Tensor};
use pt2::weights::pickle::SavedTensor;
use pt2::weights::{self, place::place};
use std::collections::HashMap;
use support::repository;

fn placed(name: &str) -> (Vec<SavedTensor>, HashMap<String, Tensor>) {
    let archive =
        Archive::open(&repository(&format!("tests/archives/{name}.pt2")), &ReadOptions::default()).unwrap();
    let stored = weights::read(&archive, "model").unwrap();
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
                address(&tensors[&saved.name]),
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
            assert!(address(&tensors[&saved.name]).is_multiple_of(64), "{name} {}", saved.name);
        }
    }
}

#[test]
fn tied_weights_stay_tied() {
    for name in ["2.6.0/dtypes", "2.8.0/dtypes", "2.11.0/dtypes", "2.15.0/dtypes"] {
        let (_, tensors) = placed(name);
        assert_eq!(address(&tensors["a.weight"]), address(&tensors["b.weight"]), "{name}");
        let transposed = &tensors["t"];
        assert_eq!(
            (transposed.view().sizes, transposed.view().strides),
            (&[5, 4][..], &[1, 5][..]),
            "{name}"
        );
    }
}
