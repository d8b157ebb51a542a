//! Outputs of packages, their interfaces, and the inputs that they accept.

use crate::packages::{
    allowed, assert_like_pytorch, bytes, device, image, load, loaded_with, metadata, package, rewritten, run,
    there,
};
use crate::support::Array;
use pt2::Error;
use pt2::aoti::Form;
use pt2::model::{LoadOptions, Model, RunOptions};
use pt2::program::PortKind;
use pt2::program::schema::ScalarType;
use pt2::torch::{Device, Tensor};

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
        assert_eq!((model.form(), model.device()), (Form::Compiled, device()), "{name}");
        assert_like_pytorch(name, &model);
    }
}

#[test]
#[ignore = "needs packages; `make test-compiled` makes them"]
fn package_interface_lists_inputs_and_unchecked_properties() {
    let conv = load("conv", "model");
    let interface = conv.interface();
    assert_eq!(
        (interface.inputs[0].name.as_str(), interface.outputs[0].name.as_str()),
        ("args[0]", "result")
    );
    let PortKind::Tensor(input) = &interface.inputs[0].kind else { panic!() };
    assert_eq!((input.dtype, input.sizes.len()), (ScalarType::Float, 4));
    assert_eq!(interface.symbols.len(), 1);
    assert!(interface.symbols[0].min.is_some_and(|min| min <= 2));
    assert_eq!(interface.outputs[0].kind, PortKind::Unknown);
    assert_eq!(conv.torch_version(), "");
    // One leaf of its arguments is not a tensor, and nothing records which: names are those of the
    // code.
    let nested = load("two", "nested");
    assert_eq!(nested.interface().inputs.len(), 3);
    let mixed = load("mixed", "nested");
    let names: Vec<_> = mixed.interface().inputs.iter().map(|port| port.name.as_str()).collect();
    assert_eq!(names, ["args[0]", "kwargs[\"pair\"][0]", "kwargs[\"pair\"][1]", "kwargs[\"flag\"]"]);
    assert!(mixed.torch_version().starts_with("2.11"));
}

#[test]
#[ignore = "needs packages; `make test-compiled` makes them"]
fn sizes_that_only_the_program_allows_are_said() {
    let (assumed, allowed) = (load("conv", "model"), load("dynamic", "model"));
    let (assumed, symbols) = (&assumed.interface().symbols[0], &allowed.interface().symbols);
    assert_eq!((symbols[0].min, symbols[0].max), (Some(1), Some(64)));
    let said = allowed.interface().unchecked_guards.join("\n");
    for (word, bound) in
        [("below", assumed.min.filter(|min| *min > 1)), ("above", assumed.max.filter(|max| *max < 64))]
    {
        let expected = bound.map(|bound| format!("{word} {bound}"));
        assert_eq!(said.contains(word), expected.is_some(), "{said}");
        assert!(said.contains(&expected.unwrap_or_default()), "{said}");
    }
    assert!(device() != Device::Cpu || said.contains("dimension 0 of `args[0]`"), "{said}");
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
fn exported_program_runs_if_the_code_needs_external_weights() {
    let program = loaded_with("dynamic", |options| options.form = Form::Exported).unwrap();
    let expected = bytes(&run(&program, &[Some(image(5, 3))]).unwrap());
    for (name, executed) in [("outside_mixed", false), ("blob_mixed", false), ("outside_mixed", true)] {
        // Without the source beside it, only the loaded code records the interface.
        let silent = |entry: &str| executed && entry.ends_with(".wrapper.cpp");
        let package = rewritten(name, |entry, bytes| (!silent(entry)).then(|| (entry.into(), bytes)));
        let model = Model::load_from_memory(&package, &allowed()).unwrap();
        assert_eq!(model.form(), Form::Exported, "{name}");
        assert_eq!(bytes(&run(&model, &[Some(image(5, 3))]).unwrap()), expected, "{name}");
        let demanded = LoadOptions { form: Form::Compiled, ..allowed() };
        let refused = Model::load_from_memory(&package, &demanded).unwrap_err();
        assert!(matches!(refused.root(), Error::Unsupported { .. }), "{name}: {refused}");
    }
}

#[test]
#[ignore = "needs packages; `make test-compiled` makes them"]
fn exported_program_replaces_code_of_other_machines_but_not_damaged_code() {
    let model = |package: &[u8]| Model::load_from_memory(package, &allowed());
    for (key, value) in [
        ("AOTI_PLATFORM", "win32"),
        ("AOTI_CPU_ISA", "AVX1024"),
        ("AOTI_DEVICE_KEY", "xpu"),
        ("torch_version", "2.15.0"),
    ] {
        let other = rewritten("dynamic", |name, bytes| metadata(name, bytes, key, value));
        assert_eq!(model(&other).unwrap().form(), Form::Exported, "{key}");
    }
    let damaged = rewritten("dynamic", |name, bytes| match name.ends_with(".so") {
        true => Some((name.into(), b"not code".to_vec())),
        false => Some((name.into(), bytes)),
    });
    assert!(matches!(model(&damaged).unwrap_err().root(), Error::Archive { .. }));
}

#[test]
#[ignore = "needs packages; `make test-compiled` makes them"]
fn both_forms_of_a_model_agree() {
    let model = |form| loaded_with("dynamic", |options| options.form = form).unwrap();
    let (exported, compiled) = (model(Form::Exported), model(Form::Compiled));
    // Convolutions on CUDA round to TF32, and one of the forms has batch norm in its weights.
    let tolerance = if device() == Device::Cpu { 1e-5 } else { 1e-2 };
    for batch in [1, 2, 17, 64] {
        let given = [Some(image(batch, 7))];
        let outputs =
            [&exported, &compiled].map(|model| Array::of(run(model, &given).unwrap()[0].as_ref().unwrap()));
        assert!(outputs[0].error_against(&outputs[1]) < tolerance, "{batch}");
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
    if device() != Device::Cpu {
        let refused = model.run(&[Some(image(2, 1))], &RunOptions::default()).unwrap_err();
        assert!(matches!(&refused, Error::Input { input, .. } if input == "args[0]"), "{refused}");
    }
    assert_like_pytorch("conv", &model);
}

#[test]
#[ignore = "needs packages; `make test-compiled` makes them"]
fn inputs_with_other_strides_give_equal_outputs() {
    let model = load("conv", "model");
    let dense = there(&image(4, 3));
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
