//! Archives of PyTorch 2.6 to 2.15: every stored call returns PyTorch's outputs.

use crate::support::{Array, Calls, repository, writer_versions};
use pt2::model::{LoadOptions, Model, Optimization, RunOptions};
use pt2::program::{Port, PortKind};
use pt2::torch::Tensor;
use std::path::Path;

/// Cases about programs, which do not depend on the archive layout. 2.11.0 has all of them, and
/// other versions have some.
const IN_SOME_VERSIONS: [&str; 32] = [
    "descent",
    "folded",
    "arithmetic",
    "features",
    "core_reads",
    "core_mutation",
    "core_train",
    "core_resnet",
    "returns",
    "sizes",
    "conditions",
    "loops",
    "rows",
    "casts",
    "wrapped",
    "cache",
    "core_cache",
    "aliases",
    "constants",
    "all_dtypes",
    "layouts",
    "kinds",
    "quantized",
    "chosen",
    "pt2e_conv",
    "pt2e_dynamic",
    "out_dtypes",
    "effects",
    "associated",
    "stacked",
    "marked",
    "assumed",
];

fn check(case: &str) {
    let mut found = 0;
    for version in writer_versions() {
        let path = repository(&format!("tests/archives/{version}/{case}.pt2"));
        if !path.exists() {
            assert!(is_absent(case, &version), "{} is missing", path.display());
            continue;
        }
        found += 1;
        for optimization in [Optimization::Exact, Optimization::Fast] {
            check_one(&path, LoadOptions { optimization, ..LoadOptions::default() });
        }
    }
    assert!(found > 0, "no version has {case}");
}

/// Returns true for cases that a version could not export or that its folder leaves out.
fn is_absent(case: &str, version: &str) -> bool {
    match case {
        "train_buffers" => ["2.6.0", "2.7.1"].contains(&version),
        "mini_resnet_train" => ["2.12.1", "2.13.0", "2.14.1"].contains(&version),
        // The format of PyTorch 2.11 lacks these element types.
        "newer_dtypes" => !["2.12.1", "2.15.0"].contains(&version),
        _ => IN_SOME_VERSIONS.contains(&case) && version != "2.11.0",
    }
}

fn check_one(path: &Path, options: LoadOptions) {
    let model = Model::load(path, &options).unwrap();
    let calls = Calls::beside(path);
    for call in 0..calls.len() {
        let outputs = run(&model, &inputs(&model, &calls, call));
        for (index, expected) in calls.outputs(call, outputs.len()).iter().enumerate() {
            let (Some(output), Some(expected)) = (&outputs[index], expected) else {
                assert_eq!(outputs[index].is_some(), expected.is_some(), "{} output {index}", path.display());
                continue;
            };
            let error = Array::of(output).error_against(expected);
            assert!(error < 1e-5, "{} call {call} output {index}: error {error}", path.display());
        }
    }
}

fn inputs(model: &Model, calls: &Calls, call: usize) -> Vec<Option<Tensor>> {
    let arrays = calls.inputs(call, model.interface().inputs.len());
    arrays.iter().map(|array| array.as_ref().map(Array::tensor)).collect()
}

fn run(model: &Model, inputs: &[Option<Tensor>]) -> Vec<Option<Tensor>> {
    model.run(inputs, &RunOptions::default()).unwrap()
}

fn load(name: &str) -> (Model, Calls) {
    let path = repository(&format!("tests/archives/2.11.0/{name}.pt2"));
    (Model::load(&path, &LoadOptions::default()).unwrap(), Calls::beside(&path))
}

#[test]
fn mini_resnet() {
    check("mini_resnet");
}

#[test]
fn mini_resnet_train() {
    check("mini_resnet_train");
}

#[test]
fn arithmetic() {
    check("arithmetic");
}

#[test]
fn features() {
    check("features");
}

#[test]
fn train_buffers() {
    check("train_buffers");
}

#[test]
fn tree() {
    check("tree");
}

#[test]
fn dtypes() {
    check("dtypes");
}

#[test]
fn mutation() {
    check("mutation");
}

#[test]
fn core_ir() {
    check("core_mutation");
    check("core_train");
    check("core_resnet");
}

#[test]
fn outputs_that_are_no_new_tensors() {
    check("returns");
}

#[test]
fn arithmetic_on_sizes() {
    check("sizes");
}

#[test]
fn an_input_that_the_program_writes_to_is_the_callers_memory() {
    for case in ["mutation", "core_mutation"] {
        let (model, calls) = load(case);
        let input = calls.inputs(0, 1).remove(0).unwrap();
        let given = input.tensor();
        run(&model, &[Some(given.clone())]);
        let doubled: Vec<f64> = input.floats().iter().map(|value| value * 2.0).collect();
        assert_eq!(Array::of(&given).floats(), doubled, "{case}");
        assert_eq!(model.effects().inputs, [0]);
        assert_eq!(model.effects().state, ["total"]);
    }
}

#[test]
fn programs_without_mutation_report_none() {
    for case in [
        "mini_resnet",
        "core_resnet",
        "tree",
        "dtypes",
        "returns",
        "sizes",
        "conditions",
        "loops",
        "rows",
        "casts",
    ] {
        assert_eq!(*load(case).0.effects(), Default::default(), "{case}");
    }
    for case in ["mini_resnet_train", "train_buffers", "core_train"] {
        let effects = load(case).0.effects().clone();
        assert!(effects.state.iter().any(|name| name.ends_with("running_mean")), "{case}: {effects:?}");
        assert!(
            effects.state.iter().any(|name| name.ends_with("num_batches_tracked")),
            "{case}: {effects:?}"
        );
        assert!(effects.inputs.is_empty());
    }
}

#[test]
fn outputs_that_share_the_weights_outlive_the_model() {
    let (model, calls) = load("returns");
    let outputs = run(&model, &inputs(&model, &calls, 0));
    drop(model);
    let weight = Array::of(outputs[0].as_ref().unwrap());
    assert_eq!(weight.floats(), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    assert_eq!(outputs[1].as_ref().unwrap().view().data, outputs[0].as_ref().unwrap().view().data);
}

#[test]
fn a_constant_input_must_be_the_constant_or_absent() {
    let (model, calls) = load("returns");
    let mut given = inputs(&model, &calls, 0);
    given[3] = Some(Tensor::from_int(4).unwrap());
    let error = model.run(&given, &RunOptions::default()).unwrap_err();
    assert!(matches!(&error, pt2::Error::Input { input, .. } if input == "args[3]"), "{error}");
    given[2..].fill(None);
    run(&model, &given);
}

#[test]
fn conditions() {
    check("branch");
    check("conditions");
}

#[test]
fn loops() {
    check("loops");
}

#[test]
fn rows_one_by_one() {
    check("rows");
}

#[test]
fn automatic_casts() {
    check("casts");
}

#[test]
fn graphs_that_are_run_as_they_are() {
    check("wrapped");
    check("folded");
}

#[test]
fn state_that_selects_the_output() {
    check("cache");
    check("core_cache");
    check("aliases");
    check("core_reads");
    check("descent");
}

#[test]
fn every_element_type_and_layout() {
    check("all_dtypes");
    check("newer_dtypes");
    check("layouts");
}

#[test]
fn every_kind_of_argument_that_libtorchs_operators_take() {
    check("kinds");
}

#[test]
fn outputs_that_are_constants() {
    check("constants");
    let texts = repository("tests/special_archives/2.11.0/texts.pt2");
    check_one(&texts, LoadOptions::default());
    let model = Model::load(&texts, &LoadOptions::default()).unwrap();
    let constants: Vec<String> = model.interface().outputs.iter().filter_map(constant).collect();
    let [label, empty, size, none] = &constants[..] else { panic!("{constants:?}") };
    assert_eq!((label.as_str(), empty.as_str()), (r#""a \"quoted\" line\n""#, "\"\""));
    assert_eq!((size.as_str(), none.as_str()), ("\"größe\"", "None"));
}

fn constant(port: &Port) -> Option<String> {
    match &port.kind {
        PortKind::Constant(value) => Some(value.to_string()),
        _ => None,
    }
}

#[test]
fn files_that_python_reads_without_a_limit() {
    for name in ["large_hint", "deep"] {
        check_one(&repository(&format!("tests/special_archives/2.11.0/{name}.pt2")), LoadOptions::default());
    }
}

#[test]
fn gradients_follow_the_loss() {
    let joint = repository("tests/special_archives/2.11.0/joint.pt2");
    check_one(&joint, LoadOptions::default());
    let model = Model::load(&joint, &LoadOptions::default()).unwrap();
    let names: Vec<&str> = model.interface().outputs.iter().map(|port| port.name.as_str()).collect();
    assert_eq!(names, ["result", "gradients[\"fc.weight\"]", "gradients[\"fc.bias\"]"]);
}

#[test]
fn unbacked_sizes_the_exporter_excluded() {
    check("assumed");
}

#[test]
fn dtypes_that_the_exporter_s_default_decided() {
    for dtype in ["float64", "bfloat16"] {
        for optimization in [Optimization::Exact, Optimization::Fast] {
            let path = repository(&format!("tests/special_archives/2.11.0/default_{dtype}.pt2"));
            check_one(&path, LoadOptions { optimization, ..LoadOptions::default() });
        }
    }
}

#[test]
fn operators_that_only_python_registers() {
    check("quantized");
    check("chosen");
}

#[test]
fn quantised_models() {
    check("pt2e_conv");
    check("pt2e_dynamic");
}

#[test]
fn operators_that_call_one_operator() {
    check("out_dtypes");
    check("effects");
}

#[test]
fn loops_that_keep_every_round() {
    check("associated");
    check("stacked");
}

#[test]
fn regions_for_a_compiler() {
    check("marked");
}
