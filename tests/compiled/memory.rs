//! Weights lie in memory once: models read them from the library's file, and have of their own what they write.

use crate::packages::{allowed, assert_like_pytorch, bytes, device, load, package, run};
use crate::support::Array;
use pt2::model::Model;
use pt2::program::schema::ScalarType;
use pt2::torch::{Device, Tensor};
use std::fs;

/// What the weights of `wide` take, in KiB.
const WEIGHTS: usize = 64 << 10;

/// Memory of this process that belongs to no file, in KiB.
fn anonymous() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn ones() -> [Option<Tensor>; 1] {
    let values: Vec<u8> = (0..4096).flat_map(|_| 1_f32.to_le_bytes()).collect();
    [Some(Tensor::from_bytes(ScalarType::Float, &[1, 4096], &values).unwrap())]
}

fn answer(model: &Model) -> Vec<Option<Vec<u8>>> {
    bytes(&run(model, &ones()).unwrap())
}

fn filled(element: f32) -> Tensor {
    let values: Vec<u8> = (0..4096 * 4096).flat_map(|_| element.to_le_bytes()).collect();
    Tensor::from_bytes(ScalarType::Float, &[4096, 4096], &values).unwrap()
}

#[test]
#[ignore = "needs packages; `make test-compiled` makes them"]
fn models_have_only_those_weights_of_their_own_that_they_were_given() {
    if device() != Device::Cpu {
        return;
    }
    for name in ["wide", "wide_behind"] {
        let model = load(name, "model");
        assert_like_pytorch(name, &model);
        let (before, expected) = (anonymous(), answer(&model));
        let clones: Vec<Model> = (0..3).map(|_| model.try_clone().unwrap()).collect();
        assert!(clones.iter().all(|clone| answer(clone) == expected), "{name}");
        assert!(anonymous() < before + WEIGHTS / 2, "{name}");
        let given = filled(0.5);
        clones[0].swap_parameters(&[("fc.weight", &given)]).unwrap();
        drop(given);
        assert!(answer(&clones[0]) != expected && answer(&clones[1]) == expected, "{name}");
        let after = anonymous();
        assert!(
            (before + WEIGHTS / 2..before + WEIGHTS * 3 / 2).contains(&after),
            "{name}: {before} {after}"
        );
        clones[0].reset_parameters(None).unwrap();
        assert!(answer(&clones[0]) == expected && answer(&model) == expected, "{name}");
    }
}

#[test]
#[ignore = "needs packages; `make test-compiled` makes them"]
fn loading_keeps_no_copy_of_the_weights() {
    if device() != Device::Cpu {
        return;
    }
    let models =
        || -> Vec<Model> { (0..4).map(|_| Model::load(&package("wide"), &allowed()).unwrap()).collect() };
    drop(models());
    let before = anonymous();
    let models = models();
    assert!(models.iter().all(|model| answer(model) == answer(&models[0])));
    assert!(anonymous() < before + 2 * WEIGHTS);
}

#[test]
#[ignore = "needs packages; `make test-compiled` makes them"]
fn weights_that_only_compare_equal_are_written() {
    let model = load("conv", "model");
    for zero in [0_f32, -0_f32] {
        let values: Vec<u8> = (0..32).flat_map(|_| zero.to_le_bytes()).collect();
        let given = Tensor::from_bytes(ScalarType::Float, &[4, 8], &values).unwrap();
        model.swap_parameters(&[("fc.weight", &crate::packages::there(&given))]).unwrap();
        assert_eq!(Array::of(&model.parameter("fc.weight").unwrap()).bytes, values);
    }
}
