//! Weights are in memory once: models read them from the library's file, clones share the
//! original's, and shared tensors are read in place. Calls reuse kept memory. Tests that measure
//! the process run alone.

use crate::packages::{allowed, assert_like_pytorch, bytes, device, load, package, run, there};
use crate::support::Array;
use pt2::model::Model;
use pt2::program::schema::ScalarType;
use pt2::torch::{Device, Tensor};
use std::fs;

/// Size of the weights of `wide` in KiB.
const WEIGHTS: usize = 64 << 10;

/// Returns the anonymous memory of this process in KiB.
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
#[ignore = "needs packages and a process of its own; `make test-compiled` runs it"]
fn alone_models_own_only_swapped_weights() {
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
#[ignore = "needs packages and a process of its own; `make test-compiled` runs it"]
fn alone_loading_keeps_no_copy_of_the_weights() {
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
fn models_share_the_memory_of_swapped_weights() {
    let (model, other) = (load("wide", "model"), load("wide", "model"));
    let before = answer(&model);
    let given = there(&filled(0.5));
    for model in [&model, &other] {
        model.swap_parameters(&[("fc.weight", &given)]).unwrap();
    }
    let clone = model.try_clone().unwrap();
    let half = answer(&model);
    assert!(half != before && [&other, &clone].iter().all(|model| answer(model) == half));
    // Not allowed to callers; here it shows whose memory the models read.
    given.clone().fill_from(&there(&filled(0.25)), false).unwrap();
    device().synchronize().unwrap();
    let quarter = answer(&model);
    assert!(quarter != half && [&other, &clone].iter().all(|model| answer(model) == quarter));
    // The last reader releases a tensor's memory, and each model returns to the package's weights.
    drop(given);
    model.reset_parameters(None).unwrap();
    assert!(answer(&model) == before && answer(&other) == quarter);
    drop(other);
    assert!(answer(&clone) == quarter);
    clone.share_parameters(&model).unwrap();
    drop(model);
    assert!(answer(&clone) == before);
}

/// Returns the used memory of the device in KiB.
fn taken() -> usize {
    let Device::Cuda(_) = device() else { return anonymous() };
    let (mut free, mut all) = (0_usize, 0_usize);
    // SAFETY: a model ran on the device, so the driver is loaded. The function of this name has
    // this type, and the calling thread has the context.
    let status = unsafe {
        let driver = libc::dlopen(c"libcuda.so.1".as_ptr(), libc::RTLD_NOW | libc::RTLD_NOLOAD);
        let found = libc::dlsym(driver, c"cuMemGetInfo_v2".as_ptr());
        assert!(!found.is_null());
        let get: extern "C" fn(*mut usize, *mut usize) -> i32 = std::mem::transmute(found);
        get(&mut free, &mut all)
    };
    assert_eq!(status, 0);
    (all - free) >> 10
}

#[test]
#[ignore = "needs packages and a process of its own; `make test-compiled` runs it"]
fn alone_clones_take_the_memory_of_weights_once() {
    let model = load("wide", "model");
    let expected = answer(&model);
    drop(model.try_clone().unwrap());
    let before = taken();
    let clones: Vec<Model> = (0..4).map(|_| model.try_clone().unwrap()).collect();
    assert!(clones.iter().all(|clone| answer(clone) == expected));
    assert!(taken() < before + WEIGHTS / 2, "{before} {}", taken());
    let given = there(&filled(0.5));
    clones.iter().for_each(|clone| clone.swap_parameters(&[("fc.weight", &given)]).unwrap());
    assert!(clones.iter().all(|clone| answer(clone) != expected) && answer(&model) == expected);
    drop(given);
    assert!(taken() < before + WEIGHTS * 3 / 2, "{before} {}", taken());
    clones.iter().for_each(|clone| clone.share_parameters(&model).unwrap());
    assert!(clones.iter().all(|clone| answer(clone) == expected));
    drop(model);
    assert!(clones.iter().all(|clone| answer(clone) == expected));
}

/// Returns the number of page faults of this thread.
fn page_faults() -> i64 {
    // SAFETY: zeros are a valid value, and the call overwrites it.
    unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        assert_eq!(libc::getrusage(libc::RUSAGE_THREAD, &mut usage), 0);
        usage.ru_minflt
    }
}

#[test]
#[ignore = "needs packages; `make test-compiled` makes them"]
fn later_calls_work_in_the_pages_of_earlier_ones() {
    if device() != Device::Cpu {
        return;
    }
    let (model, given) = (load("large", "model"), [Some(filled(0.5))]);
    let call = |model: &Model| run(model, &given).unwrap().remove(0).unwrap();
    let sum = filled(1.5).to_bytes().unwrap();
    let kept = call(&model);
    assert!(call(&model).to_bytes().unwrap() == sum);
    let before = page_faults();
    (0..5).for_each(|_| drop(call(&model)));
    // Each result has 16,384 pages, of which this thread writes a part.
    assert!(page_faults() < before + 1000, "{}", page_faults() - before);
    let other = call(&model);
    drop(model);
    assert!([kept, other].iter().all(|output| output.to_bytes().unwrap() == sum));
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
