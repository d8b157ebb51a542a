//! Packages of AOTInductor, beside what PyTorch's own loader makes of them. They fit only the machine that compiled
//! them, so `make test-compiled` compiles them first (tests/packages/make_packages.py) and then runs this.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "tests fail by panicking"
)]

#[allow(dead_code, reason = "other tests use the rest")]
mod support;

use pt2::Error;
use pt2::compiled::{Digest, Form, Permission};
use pt2::model::{LoadOptions, Model, RunOptions};
use pt2::program::PortKind;
use pt2::program::schema::ScalarType;
use pt2::torch::Tensor;
use std::fs;
use std::io::{Cursor, Read, Write};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Barrier, Mutex};
use std::thread;
use support::{Array, Calls, repository};

fn package(name: &str) -> PathBuf {
    let path = repository(&format!("build/packages/{name}.pt2"));
    assert!(path.exists(), "{} is missing: run `make test-compiled`", path.display());
    path
}

fn allowed() -> LoadOptions {
    LoadOptions {
        native_code: Permission { allowed: true, ..Permission::default() },
        ..LoadOptions::default()
    }
}

fn load(name: &str, model: &str) -> Model {
    Model::load(&package(name), &LoadOptions { model: Some(model.into()), ..allowed() }).unwrap()
}

fn loaded_with(name: &str, change: impl FnOnce(&mut LoadOptions)) -> pt2::Result<Model> {
    let mut options = allowed();
    change(&mut options);
    Model::load(&package(name), &options)
}

fn run(model: &Model, inputs: &[Option<Tensor>]) -> pt2::Result<Vec<Option<Tensor>>> {
    model.run(inputs, &RunOptions::default())
}

/// The tensors of a stored call in the places where the model takes tensors.
fn inputs(model: &Model, calls: &Calls, call: usize) -> Vec<Option<Tensor>> {
    let mut arrays = calls.inputs(call, model.interface().inputs.len()).into_iter();
    let ports = model.interface().inputs.iter();
    let tensor = |kind: &PortKind| matches!(kind, PortKind::Tensor(_));
    ports.map(|port| tensor(&port.kind).then(|| arrays.next().unwrap().unwrap().tensor())).collect()
}

fn bytes(outputs: &[Option<Tensor>]) -> Vec<Option<Vec<u8>>> {
    outputs.iter().map(|output| output.as_ref().map(|tensor| tensor.to_bytes().unwrap())).collect()
}

fn assert_like_pytorch(name: &str, model: &Model) {
    let calls = Calls::beside(&package(name).with_file_name(format!("{name}_{}.pt2", model.name())));
    assert!(calls.len() >= 2);
    for call in 0..calls.len() {
        let outputs = run(model, &inputs(model, &calls, call)).unwrap();
        let expected = calls.outputs(call, outputs.len());
        let expected: Vec<_> = expected.into_iter().map(|array| array.map(|array| array.bytes)).collect();
        assert_eq!(bytes(&outputs), expected, "{name}, call {call}");
    }
}

fn image(batch: i64, seed: u64) -> Tensor {
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

#[test]
#[ignore = "needs packages; `make test-compiled` makes them"]
fn outputs_are_those_of_pytorchs_loader_to_the_last_bit() {
    for (name, model) in [
        ("conv", "model"),
        ("dynamic", "model"),
        ("two", "conv"),
        ("two", "nested"),
        ("mixed", "nested"),
        ("counter", "model"),
    ] {
        let model = load(name, model);
        assert_eq!(model.form(), Form::Compiled, "{name}");
        assert_like_pytorch(name, &model);
    }
}

#[test]
#[ignore = "needs packages; `make test-compiled` makes them"]
fn a_package_tells_what_it_takes_and_what_is_not_checked() {
    let conv = load("conv", "model");
    let interface = conv.interface();
    assert_eq!(
        (interface.inputs[0].name.as_str(), interface.outputs[0].name.as_str()),
        ("args[0]", "result")
    );
    let PortKind::Tensor(input) = &interface.inputs[0].kind else { panic!() };
    assert_eq!((input.dtype, input.sizes.len()), (ScalarType::Float, 4));
    assert_eq!(interface.symbols.len(), 1);
    assert_eq!((interface.symbols[0].min, interface.outputs[0].kind.clone()), (Some(2), PortKind::Untold));
    assert_eq!(conv.torch_version(), "");
    // One leaf of its arguments is no tensor, and nothing says which: names are those of the code.
    let nested = load("two", "nested");
    assert_eq!(nested.interface().inputs.len(), 3);
    let mixed = load("mixed", "nested");
    let names: Vec<_> = mixed.interface().inputs.iter().map(|port| port.name.as_str()).collect();
    assert_eq!(names, ["args[0]", "kwargs[\"pair\"][0]", "kwargs[\"pair\"][1]", "kwargs[\"flag\"]"]);
    assert!(mixed.torch_version().starts_with("2.11"));
}

#[test]
#[ignore = "needs packages; `make test-compiled` makes them"]
fn the_form_is_the_callers_choice() {
    let form = |options: LoadOptions| Model::load(&package("mixed"), &options).map(|model| model.form());
    let wanted = |form| LoadOptions { form, ..allowed() };
    assert_eq!(form(LoadOptions::default()).unwrap(), Form::Exported);
    assert_eq!(form(allowed()).unwrap(), Form::Compiled);
    assert_eq!(form(wanted(Form::Exported)).unwrap(), Form::Exported);
    assert_eq!(form(wanted(Form::Compiled)).unwrap(), Form::Compiled);
    let refused = form(LoadOptions { form: Form::Compiled, ..LoadOptions::default() }).unwrap_err();
    assert!(matches!(refused.root(), Error::NativeCode { .. }), "{refused}");
    let none = loaded_with("conv", |options| options.form = Form::Exported).unwrap_err();
    assert!(matches!(none.root(), Error::Argument { argument: "form", .. }), "{none}");
    // Where the compiled one is for another machine, the program runs.
    let other = rewritten("mixed", |name, bytes| metadata(name, bytes, "AOTI_MACHINE", "vax"));
    assert_eq!(Model::load_from_memory(&other, &allowed()).unwrap().form(), Form::Exported);
}

#[test]
#[ignore = "needs packages; `make test-compiled` makes them"]
fn both_forms_of_a_model_agree() {
    let model = |form| loaded_with("dynamic", |options| options.form = form).unwrap();
    let (exported, compiled) = (model(Form::Exported), model(Form::Compiled));
    for batch in [1, 2, 17, 64] {
        let given = [Some(image(batch, 7))];
        let outputs =
            [&exported, &compiled].map(|model| Array::of(run(model, &given).unwrap()[0].as_ref().unwrap()));
        assert!(outputs[0].error_against(&outputs[1]) < 1e-5, "{batch}");
    }
}

#[test]
#[ignore = "needs packages; `make test-compiled` makes them"]
fn inputs_that_do_not_fit_never_reach_the_code() {
    let model = load("conv", "model");
    let tensor = |dtype: ScalarType, sizes: &[i64]| {
        let count = sizes.iter().product::<i64>() as usize * dtype.size_in_bytes();
        Some(Tensor::from_bytes(dtype, sizes, &vec![0; count]).unwrap())
    };
    let float = ScalarType::Float;
    for wrong in [
        tensor(ScalarType::Double, &[2, 3, 16, 16]),
        tensor(float, &[2, 3, 16]),
        tensor(float, &[2, 3, 16, 16, 1]),
        tensor(float, &[2, 3, 16, 15]),
        tensor(float, &[2, 4, 16, 16]),
        tensor(float, &[0, 3, 16, 16]),
        tensor(float, &[]),
        None,
    ] {
        let refused = run(&model, &[wrong]).unwrap_err();
        assert!(matches!(&refused, Error::Input { input, .. } if input == "args[0]"), "{refused}");
    }
    assert!(matches!(run(&model, &[]), Err(Error::InputCount { expected: 1, found: 0 })));
    assert_like_pytorch("conv", &model);
}

#[test]
#[ignore = "needs packages; `make test-compiled` makes them"]
fn inputs_that_lie_otherwise_give_the_same() {
    let model = load("conv", "model");
    let dense = image(4, 3);
    let expected = bytes(&run(&model, &[Some(dense.clone())]).unwrap());
    for strides in [[768, 1, 48, 3], [1, 4, 12, 192], [2000, 256, 16, 1]] {
        let other = dense.laid_out(&strides).unwrap();
        assert_eq!(bytes(&run(&model, &[Some(other)]).unwrap()), expected, "{strides:?}");
    }
}

#[test]
#[ignore = "needs packages; `make test-compiled` makes them"]
fn states_belong_to_models() {
    let model = load("counter", "model");
    assert_eq!(model.effects().state, ["count"]);
    assert_eq!(model.instances(), Some(1));
    let zeros = [Some(Tensor::from_bytes(ScalarType::Float, &[4], &[0; 16]).unwrap())];
    let call = |model: &Model| Array::of(run(model, &zeros).unwrap()[0].as_ref().unwrap()).floats()[0];
    assert_eq!((call(&model), call(&model)), (1.0, 2.0));
    let clone = model.try_clone().unwrap();
    assert_eq!((call(&clone), call(&clone), call(&model)), (3.0, 4.0, 3.0));
    model.reset_state(&RunOptions::default()).unwrap();
    assert_eq!((call(&model), call(&clone)), (1.0, 5.0));
}

#[test]
#[ignore = "needs packages; `make test-compiled` makes them"]
fn the_fiftieth_caller_gets_its_answer_and_failing_calls_hold_nobody_up() {
    for instances in [None, Some(1), Some(4)] {
        let model = loaded_with("conv", |options| options.native_code.instances = instances).unwrap();
        let expected: Vec<_> = (0..8).map(load_once).collect();
        let start = Barrier::new(50);
        thread::scope(|scope| {
            for caller in 0..50_u64 {
                let (model, expected, start) = (&model, &expected, &start);
                scope.spawn(move || {
                    start.wait();
                    for call in 0..20 {
                        let seed = (caller + call) % 8;
                        if (caller + call) % 4 == 0 {
                            assert!(run(model, &[Some(image(1, seed))]).is_err());
                        }
                        let outputs = run(model, &[Some(image(3, seed))]).unwrap();
                        assert_eq!(bytes(&outputs), expected[seed as usize]);
                    }
                });
            }
        });
    }
}

fn load_once(seed: u64) -> Vec<Option<Vec<u8>>> {
    bytes(&run(&load("conv", "model"), &[Some(image(3, seed))]).unwrap())
}

#[test]
#[ignore = "needs packages; `make test-compiled` makes them"]
fn first_runs_of_eight_threads_do_not_hang() {
    for _ in 0..30 {
        let model = loaded_with("conv", |options| options.native_code.instances = Some(2)).unwrap();
        let start = Barrier::new(8);
        thread::scope(|scope| {
            for seed in 0..8 {
                let (model, start) = (&model, &start);
                scope.spawn(move || {
                    start.wait();
                    run(model, &[Some(image(2, seed))]).unwrap();
                });
            }
        });
    }
}

#[test]
#[ignore = "needs packages; `make test-compiled` makes them"]
fn every_answer_is_wholly_old_or_wholly_new_while_weights_are_swapped() {
    for instances in [1, 4] {
        let model = loaded_with("conv", |options| options.native_code.instances = Some(instances)).unwrap();
        let names: Vec<_> = model.parameters().iter().map(|known| known.name.clone()).collect();
        assert!(
            names.contains(&"conv.weight".to_owned()) && names.contains(&"fc.weight".to_owned()),
            "{names:?}"
        );
        let old: Vec<_> = names.iter().map(|name| model.parameter(name).unwrap()).collect();
        let new: Vec<_> = old.iter().map(reversed).collect();
        let pairs = |tensors: &[Tensor]| -> Vec<(String, Tensor)> {
            names.iter().cloned().zip(tensors.iter().cloned()).collect()
        };
        let swap = |pairs: &[(String, Tensor)]| {
            model.swap_parameters(
                &pairs.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect::<Vec<_>>(),
            )
        };
        let (old, new) = (pairs(&old), pairs(&new));
        let answers =
            || (0..8).map(|seed| bytes(&run(&model, &[Some(image(3, seed))]).unwrap())).collect::<Vec<_>>();
        let before = answers();
        swap(&new).unwrap();
        let after = answers();
        assert!(before.iter().zip(&after).all(|(before, after)| before != after));
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let callers: Vec<_> = (0..8_usize)
                .map(|seed| {
                    let (model, before, after) = (&model, &before, &after);
                    scope.spawn(move || {
                        for _ in 0..500 {
                            let answer = bytes(&run(model, &[Some(image(3, seed as u64))]).unwrap());
                            assert!(answer == before[seed] || answer == after[seed]);
                        }
                    })
                })
                .collect();
            let swapper = scope.spawn(|| {
                let mut swaps = 0;
                while !done.load(SeqCst) {
                    swap(if swaps % 2 == 0 { &old } else { &new }).unwrap();
                    swaps += 1;
                }
                swaps
            });
            callers.into_iter().for_each(|caller| caller.join().unwrap());
            done.store(true, SeqCst);
            assert!(swapper.join().unwrap() > 1);
        });
        model.reset_parameters(None).unwrap();
        assert_eq!(answers(), before);
    }
}

/// The same elements, the last first: other weights of the same dtype and sizes.
fn reversed(tensor: &Tensor) -> Tensor {
    let array = Array::of(tensor);
    let bytes: Vec<u8> = array.bytes.chunks(4).rev().flatten().copied().collect();
    Tensor::from_bytes(array.dtype, &array.sizes, &bytes).unwrap()
}

#[test]
#[ignore = "needs packages; `make test-compiled` makes them"]
fn weights_that_do_not_fit_change_nothing() {
    let model = load("conv", "model");
    let before = bytes(&run(&model, &[Some(image(3, 1))]).unwrap());
    let fits = reversed(&model.parameter("fc.weight").unwrap());
    let float = |sizes: &[i64]| {
        let count = sizes.iter().product::<i64>() as usize * 4;
        Tensor::from_bytes(ScalarType::Float, sizes, &vec![0; count]).unwrap()
    };
    let double = Tensor::from_bytes(ScalarType::Double, &[4, 8], &[0; 256]).unwrap();
    for (name, tensor) in [("fc.weight", float(&[8, 4])), ("conv.weight", float(&[])), ("fc.weight", double)]
    {
        let other = if name == "fc.weight" { "conv.weight" } else { "fc.weight" };
        let good = if other == "fc.weight" { fits.clone() } else { model.parameter(other).unwrap() };
        let refused = model.swap_parameters(&[(other, &good), (name, &tensor)]).unwrap_err();
        assert!(matches!(&refused, Error::Weight { name: blamed, .. } if blamed == name), "{refused}");
    }
    for names in [&["fc.weight", "fc.weight"][..], &["fc.weights"], &["bn.running_mean", "fc.weight"]] {
        let given: Vec<_> = names.iter().map(|name| (*name, &fits)).collect();
        assert!(matches!(model.swap_parameters(&given), Err(Error::Argument { argument: "names", .. })));
    }
    assert!(matches!(model.parameter("none"), Err(Error::Argument { argument: "name", .. })));
    assert_eq!(bytes(&run(&model, &[Some(image(3, 1))]).unwrap()), before);
    // A clone has weights of its own, until they are shared.
    let clone = model.try_clone().unwrap();
    clone.swap_parameters(&[("fc.weight", &fits)]).unwrap();
    let after = bytes(&run(&clone, &[Some(image(3, 1))]).unwrap());
    assert!(after != before && bytes(&run(&model, &[Some(image(3, 1))]).unwrap()) == before);
    model.share_parameters(&clone).unwrap();
    assert_eq!(bytes(&run(&model, &[Some(image(3, 1))]).unwrap()), after);
    model.reset_parameters(Some(&["fc.weight"])).unwrap();
    assert_eq!(bytes(&run(&model, &[Some(image(3, 1))]).unwrap()), before);
    assert!(load("conv", "model").share_parameters(&model).is_err());
}

/// A package with other entries: None leaves one out.
fn rewritten(name: &str, change: impl Fn(&str, Vec<u8>) -> Option<(String, Vec<u8>)>) -> Vec<u8> {
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
    to.finish().unwrap().into_inner()
}

fn metadata(name: &str, bytes: Vec<u8>, key: &str, value: &str) -> Option<(String, Vec<u8>)> {
    if !name.ends_with("_metadata.json") {
        return Some((name.into(), bytes));
    }
    let mut fields: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    fields[key] = value.into();
    Some((name.into(), fields.to_string().into_bytes()))
}

fn refusal(package: &[u8]) -> Error {
    Model::load_from_memory(package, &allowed()).unwrap_err()
}

/// Native code that is mapped in this process now.
fn mapped() -> usize {
    fs::read_to_string("/proc/self/maps").unwrap().matches("pt2-native-code").count()
}

#[test]
#[ignore = "needs packages; `make test-compiled` makes them"]
fn packages_for_other_machines_are_refused_with_both_values() {
    let here = std::env::consts::ARCH;
    for (key, value, expected) in [
        ("AOTI_PLATFORM", "win32", "its platform is win32, here it is linux".to_owned()),
        ("AOTI_MACHINE", "vax", format!("its machine is vax, here it is {here}")),
        ("AOTI_CPU_ISA", "AVX1024", "its CPU instruction set is AVX1024, here avx1024 is missing".into()),
        ("torch_version", "2.15.0", "its PyTorch is 2.15.0, here it is 2.11.0".into()),
    ] {
        let refused = refusal(&rewritten("conv", |name, bytes| metadata(name, bytes, key, value)));
        assert!(matches!(refused, Error::OtherMachine { .. }), "{refused}");
        assert!(refused.to_string().contains(&expected), "{refused}");
    }
    let cuda = rewritten("conv", |name, bytes| {
        let (name, bytes) = metadata(name, bytes, "AOTI_DEVICE_KEY", "cuda")?;
        metadata(&name, bytes, "AOTI_COMPUTE_CAPABILITY", "10")
    });
    let refused = refusal(&cuda).to_string();
    assert!(refused.contains("its compute capability is 10, here"), "{refused}");
    let options = LoadOptions { device: Some(pt2::torch::Device::Cpu), ..allowed() };
    let other = Model::load_from_memory(&cuda, &options).unwrap_err();
    assert!(matches!(other, Error::Device { .. }), "{other}");
    let processor = rewritten("conv", |name, mut bytes| {
        if name.ends_with(".so") {
            bytes[18] ^= 1;
        }
        Some((name.into(), bytes))
    });
    assert!(refusal(&processor).to_string().contains("its library is for processor"));
    let call = rewritten("conv", |name, bytes| match name.ends_with(".so") {
        true => Some((name.into(), replaced(bytes, b"aoti_torch_get_sizes\0", b"aoti_torch_get_sizer\0"))),
        false => Some((name.into(), bytes)),
    });
    let refused = refusal(&call).to_string();
    assert!(refused.contains("its PyTorch has aoti_torch_get_sizer, here it is 2.11.0"), "{refused}");
}

fn replaced(mut bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    let places: Vec<usize> =
        (0..bytes.len() - from.len()).filter(|at| bytes[*at..].starts_with(from)).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    bytes
}

#[test]
#[ignore = "needs packages; `make test-compiled` makes them"]
fn damaged_and_hostile_packages_are_refused_before_anything_is_executed() {
    let without = |end: &'static str| {
        rewritten("conv", move |name, bytes| (!name.ends_with(end)).then(|| (name.into(), bytes)))
    };
    let changed = |end: &'static str, change: fn(Vec<u8>) -> Vec<u8>| {
        rewritten("conv", move |name, bytes| match name.ends_with(end) {
            true => Some((name.into(), change(bytes))),
            false => Some((name.into(), bytes)),
        })
    };
    let renamed = |to: &'static str| {
        rewritten("conv", move |name, bytes| match name.ends_with(".kernel.cpp") {
            true => Some((to.into(), bytes)),
            false => Some((name.into(), bytes)),
        })
    };
    let file = fs::read(package("conv")).unwrap();
    let cases = [
        ("truncated file", file[..file.len() / 2].to_vec(), "zip"),
        ("sources only", without(".so"), "no shared library, and sources are never compiled"),
        ("no metadata", without("_metadata.json"), "nothing that says for which machine"),
        ("empty metadata", changed("_metadata.json", |_| b"{}".to_vec()), "does not say AOTI_DEVICE_KEY"),
        ("truncated library", changed(".so", |bytes| bytes[..bytes.len() / 2].to_vec()), "no shared library"),
        ("no library", changed(".so", |_| b"not code".to_vec()), "no shared library"),
        (
            "missing kernel",
            changed(".wrapper.cpp", missing_kernel),
            "kernels of the compiled code of `model` are missing",
        ),
        ("other source", changed(".wrapper.cpp", other_source), "is not that of the library"),
        (
            "custom operators",
            renamed("conv/data/aotinductor/model/x.json"),
            "operators that its loader has to call",
        ),
        ("two libraries", renamed("conv/data/aotinductor/model/y.so"), "more than one shared library"),
        ("climbing", renamed("conv/data/aotinductor/model/../../../../../../tmp/pt2-climbed"), "only dots"),
        ("absolute", renamed("/tmp/pt2-climbed"), "absolute"),
    ];
    for (what, package, expected) in cases {
        let refused = refusal(&package).to_string();
        assert!(refused.contains(expected), "{what}: {refused}");
    }
    assert!(!PathBuf::from("/tmp/pt2-climbed").exists());
}

fn missing_kernel(mut source: Vec<u8>) -> Vec<u8> {
    source.extend(b"\nloadKernel(\"/tmp/x/cabc.cubin\", \"f\", 0, this->cubin_dir_);\n");
    source
}

fn other_source(source: Vec<u8>) -> Vec<u8> {
    String::from_utf8(source)
        .unwrap()
        .replace("inputs_info_[0].name = \"", "inputs_info_[0].name = \"x")
        .into_bytes()
}

#[test]
#[ignore = "needs packages; `make test-compiled` makes them"]
fn weights_that_were_left_out_are_refused() {
    for (name, executed) in [("outside", false), ("blob", false), ("pickled", false), ("outside", true)] {
        // Without the source beside it, only the loaded code tells.
        let silent = |entry: &str| executed && entry.ends_with(".wrapper.cpp");
        let package = rewritten(name, |entry, bytes| (!silent(entry)).then(|| (entry.into(), bytes)));
        let refused = refusal(&package);
        assert!(matches!(refused, Error::Unsupported { .. }), "{name}: {refused}");
        assert!(refused.to_string().contains("weights outside of the library"), "{name}: {refused}");
        assert_eq!(refused.to_string().contains("conv.weight"), executed, "{name}: {refused}");
    }
}

#[test]
#[ignore = "needs packages; `make test-compiled` makes them"]
fn native_code_needs_permission_and_the_expected_digest() {
    let refused = |options: LoadOptions| {
        let error = Model::load(&package("conv"), &options).unwrap_err();
        assert!(matches!(error.root(), Error::NativeCode { .. }), "{error}");
        error.to_string()
    };
    assert!(refused(LoadOptions::default()).contains("allow native code for this load"));
    let library = Mutex::new(Vec::new());
    rewritten("conv", |name, bytes| {
        if name.ends_with(".so") {
            library.lock().unwrap().clone_from(&bytes);
        }
        Some((name.into(), bytes))
    });
    let library = library.into_inner().unwrap();
    let digest = Digest::of(&library);
    let expecting = |digest| {
        let native_code = Permission { allowed: true, digest: Some(digest), ..Permission::default() };
        LoadOptions { native_code, ..LoadOptions::default() }
    };
    assert!(Model::load(&package("conv"), &expecting(digest)).is_ok());
    let said = refused(expecting(Digest::of(b"other")));
    assert!(said.contains(&digest.to_string()) && said.contains(&Digest::of(b"other").to_string()), "{said}");
}

/// Memory in KiB, descriptors, maps.
fn held() -> (usize, usize, usize) {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let memory = memory.trim().trim_end_matches(" kB").parse().unwrap();
    let maps = fs::read_to_string("/proc/self/maps").unwrap().lines().count();
    (memory, fs::read_dir("/proc/self/fd").unwrap().count(), maps)
}

#[test]
#[ignore = "needs packages and a process of its own; `make test-compiled` runs it"]
fn cycles_of_load_run_and_free_keep_nothing() {
    let files = || {
        fs::read_dir(std::env::temp_dir())
            .unwrap()
            .flatten()
            .filter(|file| file.file_name().to_string_lossy().starts_with("pt2-kernels-"))
            .count()
    };
    let cycle = || drop(run(&load("conv", "model"), &[Some(image(2, 1))]).unwrap());
    let theirs = cycles_of_pytorch();
    cycle();
    let kept = mapped();
    (0..20).for_each(|_| cycle());
    let before = (held(), files());
    (0..500).for_each(|_| cycle());
    let after = (held(), files());
    println!("memory in KiB, descriptors, maps, files: {before:?} before 500 cycles, {after:?} after");
    println!("PyTorch's own loader: {:?} before, {:?} after", theirs[0], theirs[1]);
    assert_eq!((after.0.1, after.0.2, after.1), (before.0.1, before.0.2, before.1));
    let grown = |before: usize, after: usize| after.saturating_sub(before);
    assert!(grown(before.0.0, after.0.0) <= grown(theirs[0][0], theirs[1][0]) + ALLOWANCE_KIB);
    // The dynamic loader may keep the code of one content, however often that is loaded (docs/reliability.md).
    println!("mappings of code that stay: {}", mapped());
    assert_eq!(mapped(), kept);
}

/// An allocator does not settle to the page.
const ALLOWANCE_KIB: usize = 2048;

/// The same cycles with PyTorch's own loader, in a process of its own: memory in KiB, descriptors, maps, folders.
fn cycles_of_pytorch() -> [[usize; 4]; 2] {
    let program = repository("build/packages/cycles");
    let output = Command::new(program).arg(package("conv")).args(["20", "500"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    let numbers = |line: &str| -> Vec<usize> { line.split(' ').map(|word| word.parse().unwrap()).collect() };
    let lines: Vec<[usize; 4]> = said.lines().map(|line| numbers(line).try_into().unwrap()).collect();
    lines.try_into().unwrap()
}
