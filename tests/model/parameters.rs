//! Weights by name: swap and reset, with all values derived from them.

use crate::reference::{as_tch, from_tch};
use crate::support::{Array, Calls, repository};
use pt2::Error;
use pt2::model::{LoadOptions, Model, Optimization, ParameterKind, RunOptions};
use pt2::torch::{Device, Tensor};
use std::path::Path;

const LEVELS: [Optimization; 2] = [Optimization::Exact, Optimization::Fast];

fn path(case: &str) -> std::path::PathBuf {
    repository(&format!("tests/archives/{case}.pt2"))
}

fn load_at(path: &Path, optimization: Optimization) -> Model {
    Model::load(path, &LoadOptions { optimization, ..LoadOptions::default() }).unwrap()
}

fn load(case: &str) -> Model {
    load_at(&path(&format!("2.11.0/{case}")), Optimization::Fast)
}

/// Runs a call on the inputs stored beside the archive.
fn run(model: &Model, case: &str, call: usize) -> Vec<Option<Vec<u8>>> {
    let calls = Calls::beside(&path(case));
    let inputs = calls.inputs(call, model.interface().inputs.len());
    let inputs: Vec<_> = inputs.iter().map(|input| input.as_ref().map(Array::tensor)).collect();
    let outputs = model.run(&inputs, &RunOptions::default()).unwrap();
    outputs.iter().map(|output| output.as_ref().map(|output| Array::of(output).bytes)).collect()
}

/// Copies a tensor into libtorch's memory, with the same elements and strides.
fn copy(tensor: &Tensor) -> Tensor {
    tensor.copied().unwrap()
}

/// Returns other values of the same kind: the elements in another order.
fn other(tensor: &Tensor) -> Tensor {
    let mut bytes = Array::of(tensor);
    let size = bytes.dtype.size_in_bytes();
    let mut elements: Vec<_> = bytes.bytes.chunks_exact(size).map(<[u8]>::to_vec).collect();
    elements.reverse();
    let half = elements.len() / 3;
    elements.rotate_left(half);
    bytes.bytes = elements.concat();
    let mut made = tensor.like().unwrap();
    made.fill_from(&bytes.tensor(), false).unwrap();
    made
}

fn others(model: &Model) -> Vec<(String, Tensor)> {
    let names = model.parameters().iter().map(|parameter| parameter.name.clone());
    names.map(|name| (name.clone(), other(&model.parameter(&name).unwrap()))).collect()
}

fn swap(model: &Model, given: &[(String, Tensor)]) -> pt2::Result<()> {
    model.swap_parameters(&given.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect::<Vec<_>>())
}

fn address(tensor: &Tensor) -> usize {
    tensor.view().data.addr()
}

fn floats(tensor: &Tensor) -> Vec<f64> {
    Array::of(tensor).floats()
}

fn tensor(sizes: &[i64], values: &[f32]) -> Tensor {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    copy(&Tensor::from_bytes(pt2::program::schema::ScalarType::Float, sizes, &bytes).unwrap())
}

#[test]
fn weights_are_listed_as_they_are_stored() {
    let model = load("cache");
    let found: Vec<_> =
        model.parameters().iter().map(|p| (p.name.as_str(), p.kind, p.sizes.clone())).collect();
    assert_eq!(found.len(), 5);
    assert!(found.contains(&("keys", ParameterKind::Buffer, vec![12, 8])), "{found:?}");
    let kinds = |kind| found.iter().filter(|(_, found, _)| *found == kind).count();
    assert_eq!(
        [ParameterKind::Parameter, ParameterKind::Buffer, ParameterKind::TemporaryBuffer].map(kinds),
        [3, 1, 1]
    );
    for (name, _, sizes) in &found {
        assert_eq!(model.parameter(name).unwrap().view().sizes, sizes, "{name}");
    }
    assert!(load("rows").parameters().is_empty());
}

/// The fast level is as close to the exact one with other weights as with the archive's.
#[test]
fn folded_constants_follow_a_swap() {
    for case in ["2.11.0/mini_resnet", "2.11.0/features", "2.11.0/folded"] {
        let models = LEVELS.map(|level| load_at(&path(case), level));
        let outputs = |model: &Model| run(model, case, 0);
        let before = models.each_ref().map(outputs);
        let given = others(&models[0]);
        models.iter().for_each(|model| swap(model, &given).unwrap());
        let [exact, fast] = models.each_ref().map(outputs);
        assert_ne!(exact, before[0], "{case}");
        for (exact, fast) in exact.iter().zip(&fast) {
            let (Some(exact), Some(fast)) = (exact, fast) else { continue };
            let floats = |bytes: &[u8]| -> Vec<f32> {
                bytes.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect()
            };
            let (exact, fast) = (floats(exact), floats(fast));
            let largest = exact.iter().fold(0f32, |largest, value| largest.max(value.abs()));
            let error =
                exact.iter().zip(&fast).fold(0f32, |worst, (a, b)| worst.max((a - b).abs())) / largest;
            assert!(error < 1e-5, "{case}: {error}");
        }
        models.iter().for_each(|model| model.reset_parameters(None).unwrap());
        assert_eq!(models.each_ref().map(outputs), before, "{case}");
    }
}

#[test]
fn a_clone_keeps_the_weights_it_began_with() {
    let case = "2.11.0/mini_resnet";
    let model = load("mini_resnet");
    let before = run(&model, case, 0);
    swap(&model, &others(&model)).unwrap();
    let swapped = run(&model, case, 0);
    let clone = model.try_clone().unwrap();
    model.reset_parameters(None).unwrap();
    assert_eq!((run(&model, case, 0), run(&clone, case, 0)), (before.clone(), swapped));
    drop(model);
    clone.reset_parameters(None).unwrap();
    assert_eq!(run(&clone, case, 0), before);
}

/// Setting weights one by one equals setting all at once, at both levels: no value derived from an
/// old weight remains.
#[test]
fn one_by_one_is_all_at_once() {
    for case in
        ["2.11.0/mini_resnet", "2.11.0/features", "2.11.0/folded", "2.6.0/mini_resnet", "2.8.0/mini_resnet"]
    {
        for level in LEVELS {
            let [model, at_once] = [0, 1].map(|_| load_at(&path(case), level));
            let before = run(&model, case, 0);
            let given = others(&model);
            swap(&at_once, &given).unwrap();
            let expected = run(&at_once, case, 0);
            assert_ne!(before, expected, "{case}");
            for one in given.iter().rev() {
                swap(&model, std::slice::from_ref(one)).unwrap();
            }
            assert_eq!(run(&model, case, 0), expected, "{case} {level:?}");
            for (name, _) in &given {
                model.reset_parameters(Some(&[name])).unwrap();
            }
            assert_eq!(run(&model, case, 0), before, "{case} {level:?}");
        }
    }
}

#[test]
fn a_delta_is_applied_and_reverted() {
    for level in LEVELS {
        let case = "2.11.0/mini_resnet";
        let model = load_at(&path(case), level);
        let before = run(&model, case, 1);
        let base = model.parameter("fc.weight").unwrap();
        let mut sum = copy(&base);
        let delta = vec![0.25f32; base.view().elements as usize];
        let values: Vec<f32> =
            floats(&base).iter().zip(delta).map(|(base, delta)| *base as f32 + delta).collect();
        sum.fill_from(&tensor(base.view().sizes, &values), false).unwrap();
        model.swap_parameters(&[("fc.weight", &sum)]).unwrap();
        assert_ne!(run(&model, case, 1), before);
        model.swap_parameters(&[("fc.weight", &base)]).unwrap();
        assert_eq!(run(&model, case, 1), before);
        model.swap_parameters(&[("fc.weight", &sum)]).unwrap();
        model.reset_parameters(Some(&["fc.weight"])).unwrap();
        assert_eq!(run(&model, case, 1), before);
        assert_eq!(
            address(&model.parameter("fc.weight").unwrap()),
            address(&base),
            "the archive's own pages"
        );
    }
}

#[test]
fn weights_of_matching_layout_are_shared() {
    let models = [0, 1].map(|_| load("mini_resnet"));
    let given = copy(&models[0].parameter("fc.weight").unwrap());
    for model in &models {
        model.swap_parameters(&[("fc.weight", &given)]).unwrap();
        assert_eq!(address(&model.parameter("fc.weight").unwrap()), address(&given));
    }
    let bias = models[0].parameter("fc.bias").unwrap();
    models[1].swap_parameters(&[("fc.bias", &bias)]).unwrap();
    assert_eq!(
        address(&models[1].parameter("fc.bias").unwrap()),
        address(&bias),
        "one model's pages in another"
    );
    let sizes = given.view().sizes.to_vec();
    let bytes = copy(&tensor(&[sizes[0] * sizes[1] + 1], &vec![0.5; (sizes[0] * sizes[1] + 1) as usize]));
    for (offset, strides) in [(4, [sizes[1], 1]), (0, [1, sizes[0]])] {
        let odd = bytes.part(offset, &sizes, &strides, given.view().dtype, false).unwrap();
        models[0].swap_parameters(&[("fc.weight", &odd)]).unwrap();
        let found = models[0].parameter("fc.weight").unwrap();
        assert_ne!(address(&found), address(&odd));
        assert_eq!(address(&found) % 64, 0);
        assert_eq!((floats(&found), found.view().strides), (floats(&odd), given.view().strides));
    }
}

#[test]
fn tied_weights_share_memory() {
    let model = load("dtypes");
    let given = other(&model.parameter("a.weight").unwrap());
    model.swap_parameters(&[("b.weight", &given)]).unwrap();
    for name in ["a.weight", "b.weight"] {
        assert_eq!(address(&model.parameter(name).unwrap()), address(&given), "{name}");
    }
    let same = copy(&given);
    model.swap_parameters(&[("a.weight", &same), ("b.weight", &given)]).unwrap();
    let error = model.swap_parameters(&[("a.weight", &other(&given)), ("b.weight", &given)]).unwrap_err();
    assert!(
        matches!(&error, Error::Weight { reason, .. } if reason.contains("shares its memory")),
        "{error}"
    );
    assert_eq!(floats(&model.parameter("a.weight").unwrap()), floats(&given));
}

/// `whole` [4, 3], `turned` is its transpose and `rows` its last two rows, which the program adds its input to.
#[test]
fn views_of_one_storage_see_each_other() {
    let model = load("aliases");
    let rows = tensor(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let before = floats(&model.parameter("whole").unwrap());
    model.swap_parameters(&[("rows", &rows)]).unwrap();
    let whole = floats(&model.parameter("whole").unwrap());
    assert_eq!((&whole[..6], &whole[6..]), (&before[..6], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0][..]));
    let turned = floats(&model.parameter("turned").unwrap());
    assert_eq!(turned, (0..12).map(|at| whole[at % 4 * 3 + at / 4]).collect::<Vec<_>>());
    assert_ne!(address(&model.parameter("rows").unwrap()), address(&rows), "the program writes to it");

    run(&model, "2.11.0/aliases", 0);
    assert_ne!(floats(&model.parameter("rows").unwrap()), floats(&rows));
    assert_eq!(floats(&rows), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "the caller's memory");
    model.reset_state(&RunOptions::default()).unwrap();
    assert_eq!(floats(&model.parameter("rows").unwrap()), floats(&rows));
    model.reset_parameters(None).unwrap();
    assert_eq!(floats(&model.parameter("whole").unwrap()), before);
}

#[test]
fn the_state_goes_on_under_other_weights() {
    let case = "2.11.0/cache";
    let [model, other_model] = [0, 1].map(|_| load("cache"));
    let written: Vec<&str> = model.effects().state.iter().map(String::as_str).collect();
    let name =
        model.parameters().iter().map(|p| p.name.as_str()).find(|name| !written.contains(name)).unwrap();
    let given = other(&model.parameter(name).unwrap());
    for model in [&model, &other_model] {
        run(model, case, 0);
    }
    let keys: Vec<_> = written.iter().map(|name| floats(&model.parameter(name).unwrap())).collect();
    model.swap_parameters(&[(name, &given)]).unwrap();
    assert_eq!(keys, written.iter().map(|name| floats(&model.parameter(name).unwrap())).collect::<Vec<_>>());
    model.reset_parameters(None).unwrap();
    assert_eq!(run(&model, case, 1), run(&other_model, case, 1));

    let clone = model.try_clone().unwrap();
    model.swap_parameters(&[(name, &given)]).unwrap();
    clone.share_parameters(&model).unwrap();
    assert_eq!(run(&model, case, 1), run(&clone, case, 1));
    assert_ne!(run(&model, case, 1), run(&other_model, case, 1));
    assert_eq!(address(&model.parameter(name).unwrap()), address(&clone.parameter(name).unwrap()));
}

#[test]
fn set_state_is_copied_to_clones_and_restored_by_reset() {
    let model = load("mutation");
    model.swap_parameters(&[("total", &tensor(&[3], &[10.0, 20.0, 30.0]))]).unwrap();
    let clone = model.try_clone().unwrap();
    run(&model, "2.11.0/mutation", 0);
    assert_eq!(floats(&clone.parameter("total").unwrap()), [10.0, 20.0, 30.0]);
    assert_ne!(floats(&model.parameter("total").unwrap()), [10.0, 20.0, 30.0]);
    model.reset_state(&RunOptions::default()).unwrap();
    assert_eq!(floats(&model.parameter("total").unwrap()), [10.0, 20.0, 30.0]);
    model.reset_parameters(Some(&["total"])).unwrap();
    assert_eq!(run(&model, "2.11.0/mutation", 0), run(&load("mutation"), "2.11.0/mutation", 0));
}

/// The program takes a step of gradient descent in place: `linear.*` are its state, `rate` is not.
#[test]
fn parameters_that_the_program_trains() {
    let case = "2.11.0/descent";
    let [model, alone] = [0, 1].map(|_| load("descent"));
    let names = ["linear.weight", "linear.bias"];
    let trained = |model: &Model| names.map(|name| floats(&model.parameter(name).unwrap()));
    let begin = trained(&model);
    let first = run(&model, case, 0);
    let after = trained(&model);
    assert_ne!(after, begin);
    let kept = model.parameter("linear.weight").unwrap();

    // Training continues under another rate; a rate of zero trains nothing.
    model.swap_parameters(&[("rate", &tensor(&[], &[0.0]))]).unwrap();
    let second = run(&model, case, 1);
    assert_eq!(trained(&model), after);
    run(&alone, case, 0);
    assert_eq!(run(&alone, case, 1), second);
    assert_ne!(trained(&alone), after);

    // Trained weights are set in another model, which continues training.
    model.reset_parameters(Some(&["rate"])).unwrap();
    assert_eq!(trained(&model), after);
    let learnt = names.map(|name| (name.to_owned(), alone.parameter(name).unwrap()));
    swap(&model, &learnt).unwrap();
    assert_eq!((run(&model, case, 2), trained(&model)), (run(&alone, case, 2), trained(&alone)));
    assert_eq!(floats(&kept), after[0], "a copy stays what it was");
    model.reset_state(&RunOptions::default()).unwrap();
    assert_eq!(trained(&model), learnt.each_ref().map(|(_, tensor)| floats(tensor)));
    model.reset_parameters(None).unwrap();
    assert_eq!((trained(&model), run(&model, case, 0)), (begin, first));
}

#[test]
fn mismatched_weights_change_nothing() {
    let case = "2.11.0/mini_resnet";
    let model = load("mini_resnet");
    let before = run(&model, case, 0);
    let good = other(&model.parameter("fc.bias").unwrap());
    let double = Tensor::from_bytes(pt2::program::schema::ScalarType::Double, &[10], &[0; 80]).unwrap();
    let refused = |given: &[(&str, &Tensor)], words: &str| {
        let error = model.swap_parameters(given).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(run(&model, case, 0), before);
        error
    };
    for bad in [double, tensor(&[11], &[0.0; 11]), tensor(&[10, 1], &[0.0; 10])] {
        let weight = other(&model.parameter("fc.weight").unwrap());
        let error = refused(&[("fc.weight", &weight), ("fc.bias", &bad)], "weight `fc.bias`: it");
        assert!(matches!(error, Error::Weight { .. }));
    }
    refused(&[("fc.bias", &good), ("fc.wait", &good)], "`fc.wait` is none of the program's weights: ");
    refused(&[("fc.bias", &good), ("fc.bias", &good)], "`fc.bias` is named twice");
    assert!(matches!(model.parameter("fc"), Err(Error::Argument { argument: "name", .. })));
    assert!(matches!(model.reset_parameters(Some(&["x"])), Err(Error::Argument { argument: "names", .. })));
    assert!(matches!(
        model.share_parameters(&load("mini_resnet")),
        Err(Error::Argument { argument: "source", .. })
    ));
    assert_eq!(model.device(), Device::Cpu);
}

/// A lazy conjugate shares memory whose values are not its own.
#[test]
fn lazy_tensors_are_resolved() {
    let model = load("all_dtypes");
    let complex =
        [pt2::program::schema::ScalarType::ComplexFloat, pt2::program::schema::ScalarType::ComplexDouble];
    let mut seen = 0;
    for parameter in model.parameters().iter().filter(|parameter| complex.contains(&parameter.dtype)) {
        let value = copy(&model.parameter(&parameter.name).unwrap());
        let rotated = from_tch(&(as_tch(&value) * as_tch(&value).exp()));
        let lazy = from_tch(&as_tch(&rotated).conj());
        assert_eq!(address(&lazy), address(&rotated));
        model.swap_parameters(&[(&parameter.name, &lazy)]).unwrap();
        let now = model.parameter(&parameter.name).unwrap();
        assert_eq!(Array::of(&now).bytes, Array::of(&lazy).bytes, "{}", parameter.name);
        assert_ne!(address(&now), address(&lazy));
        seen += 1;
    }
    assert_eq!(seen, 2);
}

/// Weights whose elements share memory cannot be written element by element.
#[test]
fn every_layout_takes_its_own_value() {
    for case in ["layouts", "dtypes", "all_dtypes", "returns"] {
        let model = load(case);
        let before = run(&model, &format!("2.11.0/{case}"), 0);
        for parameter in model.parameters() {
            let value = model.parameter(&parameter.name).unwrap();
            let dense = copy(&value.dense_on(Device::Cpu).unwrap());
            if let Err(error) = model.swap_parameters(&[(&parameter.name, &dense)]) {
                assert!(parameter.strides.contains(&0), "{case} {}: {error}", parameter.name);
            }
            let now = model.parameter(&parameter.name).unwrap();
            assert_eq!(now.view().strides, value.view().strides);
            assert_eq!(Array::of(&now).bytes, Array::of(&value).bytes);
        }
        assert_eq!(run(&model, &format!("2.11.0/{case}"), 0), before, "{case}");
        model.reset_parameters(None).unwrap();
        assert_eq!(run(&model, &format!("2.11.0/{case}"), 0), before, "{case}");
    }
}

#[test]
fn bytes_of_a_lazy_conjugate_are_those_of_its_values() {
    let bytes = [1.0f32, 2.0, 3.0, 4.0].map(f32::to_le_bytes);
    let complex = pt2::program::schema::ScalarType::ComplexFloat;
    let tensor = Tensor::from_bytes(complex, &[2], bytes.as_flattened()).unwrap();
    let conjugate = from_tch(&as_tch(&tensor).conj()).to_bytes().unwrap();
    assert_eq!(conjugate, [1.0f32, -2.0, 3.0, -4.0].map(f32::to_le_bytes).as_flattened());
}
