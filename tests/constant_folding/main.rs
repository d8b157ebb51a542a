//! Constant folding: the first call that needs folded constants computes them once, in every order
//! of calls, clones and swaps of weights. Loading a hostile archive computes nothing and needs
//! little memory.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests fail by panicking")]

#[path = "../cpu_time/mod.rs"]
mod cpu_time;
#[path = "../support/reference.rs"]
mod reference;

use pt2::Error;
use pt2::model::{LoadOptions, Model, Optimization, RunOptions};
use pt2::program::schema::ScalarType;
use pt2::torch::Tensor;
use reference::as_tch;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::time::Duration;

const LEVELS: [Optimization; 2] = [Optimization::Exact, Optimization::Fast];

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/special_archives/by_hand/{name}.pt2"))
}

fn try_load(name: &str, optimization: Optimization) -> pt2::Result<Model> {
    Model::load(&path(name), &LoadOptions { optimization, ..LoadOptions::default() })
}

fn load(name: &str, optimization: Optimization) -> Model {
    try_load(name, optimization).unwrap()
}

fn floats(sizes: &[i64], values: &[f32]) -> Tensor {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    Tensor::from_bytes(ScalarType::Float, sizes, &bytes).unwrap().copied().unwrap()
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor
        .to_bytes()
        .unwrap()
        .chunks_exact(4)
        .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()))
        .collect()
}

fn call(model: &Model, x: &Tensor) -> pt2::Result<Vec<f32>> {
    Ok(values(model.run(&[Some(x.clone())], &RunOptions::default())?[0].as_ref().unwrap()))
}

/// The input of `folded`.
fn x(seed: f32) -> Tensor {
    floats(&[4, 3], &(0..12).map(|at| (at as f32 * 0.37 + seed).sin()).collect::<Vec<_>>())
}

fn w(seed: f32) -> Tensor {
    floats(&[2, 3], &(0..6).map(|at| (at as f32 * 0.61 + seed).cos()).collect::<Vec<_>>())
}

/// Returns the stored weights of `folded`.
fn stored() -> (Tensor, Tensor) {
    (floats(&[2, 3], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]), floats(&[3], &[1.0, 2.0, 3.0]))
}

/// Computes `x @ exp(w * v).T` by libtorch without libpt2.
fn expected(x: &Tensor, w: &Tensor, v: &Tensor) -> Vec<f32> {
    let [x, w, v] = [x, w, v].map(as_tch);
    let folded = (w * v).exp();
    let y = x.mm(&folded.transpose(0, 1));
    Vec::<f32>::try_from(&y.flatten(0, -1)).unwrap()
}

#[test]
fn every_call_equals_libtorch() {
    for level in LEVELS {
        let (model, (w, v)) = (load("folded", level), stored());
        for seed in 0..3 {
            let x = x(seed as f32);
            assert_eq!(call(&model, &x).unwrap(), expected(&x, &w, &v));
        }
    }
}

#[test]
fn weights_are_swapped_before_between_and_after_calls() {
    for level in LEVELS {
        for calls_before in 0..3 {
            let (model, (old, v)) = (load("folded", level), stored());
            for seed in 0..calls_before {
                call(&model, &x(seed as f32)).unwrap();
            }
            let (x, one) = (x(9.0), w(1.0));
            model.swap_parameters(&[("w", &one)]).unwrap();
            model.swap_parameters(&[("v", &v)]).unwrap();
            assert_eq!(call(&model, &x).unwrap(), expected(&x, &one, &v), "{calls_before}");
            let (two, factors) = (w(2.0), floats(&[3], &[0.5, -1.0, 0.25]));
            model.swap_parameters(&[("w", &two), ("v", &factors)]).unwrap();
            assert_eq!(call(&model, &x).unwrap(), expected(&x, &two, &factors));
            model.reset_parameters(Some(&["v"])).unwrap();
            assert_eq!(call(&model, &x).unwrap(), expected(&x, &two, &v));
            model.reset_parameters(None).unwrap();
            assert_eq!(call(&model, &x).unwrap(), expected(&x, &old, &v));
            assert_eq!(values(&model.parameter("w").unwrap()), values(&old));
        }
    }
}

#[test]
fn weights_that_are_put_back_before_any_call_are_the_archives() {
    let (model, (old, v), x) = (load("folded", Optimization::Fast), stored(), x(3.0));
    model.swap_parameters(&[("w", &w(4.0))]).unwrap();
    assert_eq!(values(&model.parameter("w").unwrap()), values(&w(4.0)));
    model.reset_parameters(None).unwrap();
    assert_eq!(call(&model, &x).unwrap(), expected(&x, &old, &v));
}

#[test]
fn clones_are_made_and_share_weights_before_and_after_calls() {
    for calls_before in [false, true] {
        let (model, (old, v), x) = (load("folded", Optimization::Fast), stored(), x(5.0));
        if calls_before {
            call(&model, &x).unwrap();
        }
        let (one, two) = (model.try_clone().unwrap(), model.try_clone().unwrap());
        let given = w(6.0);
        one.swap_parameters(&[("w", &given)]).unwrap();
        two.share_parameters(&one).unwrap();
        assert_eq!(call(&two, &x).unwrap(), expected(&x, &given, &v));
        assert_eq!(call(&model, &x).unwrap(), expected(&x, &old, &v));
        assert_eq!(call(&one, &x).unwrap(), expected(&x, &given, &v));
        one.share_parameters(&model).unwrap();
        drop(model);
        assert_eq!(call(&one, &x).unwrap(), expected(&x, &old, &v));
    }
}

#[test]
fn a_state_starts_with_stored_values_in_every_order_of_calls() {
    let count = |model: &Model, x: &Tensor, (w, v): &(Tensor, Tensor)| {
        let difference = call(model, x).unwrap()[0] - expected(x, w, v)[0];
        difference.round() as i64
    };
    // Folded constants are near 1 here, so that the sum shows their number.
    let small = (floats(&[2, 3], &[0.0; 6]), stored().1);
    for warmed in [false, true] {
        let (model, x) = (load("folded_state", Optimization::Fast), x(7.0));
        if warmed {
            model.warm(&[Some(x.clone())], &RunOptions::default()).unwrap();
        }
        let early = model.try_clone().unwrap();
        model.swap_parameters(&[("w", &small.0)]).unwrap();
        early.swap_parameters(&[("w", &small.0)]).unwrap();
        assert_eq!([0; 3].map(|_| count(&model, &x, &small)), [0, 1, 2]);
        let late = model.try_clone().unwrap();
        model.reset_state(&RunOptions::default()).unwrap();
        assert_eq!([0; 2].map(|_| count(&model, &x, &small)), [0, 1]);
        assert_eq!(count(&late, &x, &small), 3);
        early.reset_state(&RunOptions::default()).unwrap();
        assert_eq!(count(&early, &x, &small), 0);
    }
}

#[test]
fn threads_race_into_the_first_call() {
    for _ in 0..20 {
        let (model, (w, v)) = (load("folded", Optimization::Fast), stored());
        let (clone, barrier) = (model.try_clone().unwrap(), Barrier::new(8));
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let (model, w, v, barrier) =
                    (if thread % 2 == 0 { &model } else { &clone }, &w, &v, &barrier);
                scope.spawn(move || {
                    let x = x(thread as f32);
                    barrier.wait();
                    assert_eq!(call(model, &x).unwrap(), expected(&x, w, v));
                });
            }
        });
    }
}

#[test]
fn an_error_is_the_calls_and_the_next_tries_again() {
    for level in LEVELS {
        let (model, x) = (load("out_of_range", level), floats(&[4], &[1.0; 4]));
        for _ in 0..2 {
            let error = call(&model, &x).unwrap_err();
            assert!(matches!(error.root(), Error::Operator { node, .. } if node == "c"), "{error:?}");
        }
        // A valid index, which the next call folds with.
        let at = Tensor::from_bytes(ScalarType::Long, &[1], &1i64.to_le_bytes()).unwrap().copied().unwrap();
        model.swap_parameters(&[("at", &at)]).unwrap();
        assert_eq!(call(&model, &x).unwrap(), [5.0, 6.0, 7.0, 8.0]);
        model.reset_parameters(None).unwrap_err();
        assert_eq!(call(&model, &x).unwrap(), [5.0, 6.0, 7.0, 8.0]);
    }
}

/// Returns the peak of this process's resident memory in KiB since the last reset.
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Programs that crash, take gigabytes or never end if their operators run. The test does not run
/// those that crash.
#[test]
fn loading_is_bounded() {
    drop(load("folded", Optimization::Fast));
    let refused = try_load("segv_pad", Optimization::Fast).unwrap_err().to_string();
    assert!(refused.contains("argument `padding`"), "{refused}");
    for name in [
        "fpe_sdpa",
        "full_untold",
        "full_lied",
        "endless_sum",
        "doubling",
        "norm_square",
        "norm_expanded",
        "expanded_state",
    ] {
        for level in LEVELS {
            fs::write("/proc/self/clear_refs", "5").unwrap();
            let (memory, time) = (peak_kib(), cpu_time::used());
            let model = load(name, level);
            let names: Vec<String> =
                model.parameters().iter().map(|parameter| parameter.name.clone()).collect();
            names.iter().for_each(|name| drop(model.parameter(name).unwrap()));
            drop(model.try_clone().unwrap());
            drop(model);
            // Other tests run concurrently.
            let grown = peak_kib().saturating_sub(memory);
            assert!(grown < 200 << 10, "{name}: {grown} KiB");
            assert!(cpu_time::used() - time < Duration::from_secs(5), "{name}");
        }
    }
}

/// Constants that are too large to be folded are computed in each call, as in PyTorch.
#[test]
fn constants_too_large_to_fold_are_computed_in_each_call() {
    for name in ["full_lied", "full_untold"] {
        let model = load(name, Optimization::Fast);
        for _ in 0..2 {
            assert_eq!(call(&model, &floats(&[4], &[1.0, 2.0, 3.0, 4.0])).unwrap(), [2.0, 3.0, 4.0, 5.0]);
        }
    }
}

fn image() -> Tensor {
    floats(&[1, 3, 5, 5], &(0..75).map(|at| (at as f32 * 0.7).sin()).collect::<Vec<_>>())
}

#[test]
fn norms_with_computed_parameters_are_folded() {
    for name in ["norm", "norm_computed"] {
        let [exact, fast] = LEVELS.map(|level| load(name, level));
        for _ in 0..3 {
            let pairs = call(&exact, &image()).unwrap().into_iter().zip(call(&fast, &image()).unwrap());
            assert!(pairs.into_iter().all(|(one, other)| (one - other).abs() < 1e-5), "{name}");
        }
    }
}

/// Stored norms and filters of mismatched sizes. Loading fails, or the model's runs fail as
/// PyTorch's do.
#[test]
fn norms_of_mismatched_shapes_are_errors() {
    for name in [
        "norm_short_mean",
        "norm_lied_mean",
        "norm_untold",
        "norm_of_ints",
        "norm_matrix",
        "norm_rank_1",
        "norm_computed_short",
        "filter_rank_1",
        "filter_rank_2",
        "filter_rank_3",
    ] {
        for level in LEVELS {
            let model = match try_load(name, level) {
                Ok(model) => model,
                Err(error) => {
                    assert!(
                        matches!(error.root(), Error::Weight { .. } | Error::Operator { .. }),
                        "{name}: {error:?}"
                    );
                    continue;
                }
            };
            for _ in 0..2 {
                let error = call(&model, &image()).unwrap_err();
                assert!(matches!(error.root(), Error::Operator { .. }), "{name}: {error:?}");
            }
        }
    }
}

#[test]
fn operators_of_passes_cannot_be_allowed() {
    for allowed in ["pt2::*", "pt2::product", "pt2::product.default"] {
        let options = LoadOptions { allowed_operators: vec![allowed.into()], ..LoadOptions::default() };
        let error = Model::load(&path("names_ours"), &options).unwrap_err();
        assert!(matches!(error.root(), Error::ForbiddenOperators { .. }), "{error:?}");
    }
}
