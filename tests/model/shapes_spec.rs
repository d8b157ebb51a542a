//! Programs that PyTorch 2.14 and later exported with a `ShapesSpec`: unbacked sizes and ints, and
//! relations between them. PyTorch's verdict on every stored call is libpt2's.

use crate::support::{Array, Calls, read_npz, repository};
use pt2::Error;
use pt2::model::{LoadOptions, Model, Optimization, RunOptions};
use pt2::torch::Tensor;
use std::path::{Path, PathBuf};

fn programs() -> Vec<PathBuf> {
    let folders = ["2.14.1", "2.15.0"].map(|version| repository(&format!("tests/archives/{version}")));
    let files = folders.iter().flat_map(|folder| folder.read_dir().unwrap().map(|file| file.unwrap().path()));
    let is_spec = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with("spec_");
    let mut paths: Vec<_> =
        files.filter(|path| is_spec(path) && path.extension().unwrap() == "pt2").collect();
    paths.sort();
    paths
}

fn load(path: &Path, optimization: Optimization) -> Model {
    Model::load(path, &LoadOptions { optimization, ..LoadOptions::default() }).unwrap()
}

/// Returns the inputs of the calls that PyTorch refused.
fn refused(path: &Path, count: usize) -> Vec<Vec<Option<Tensor>>> {
    let arrays = read_npz(&path.with_extension("npz"));
    let input = |call: usize, index: usize| arrays.get(&format!("refused{call}_{index}")).map(Array::tensor);
    let calls = (0..).take_while(|call| arrays.contains_key(&format!("refused{call}_0")));
    calls.map(|call| (0..count).map(|index| input(call, index)).collect()).collect()
}

#[test]
fn accepted_sizes_return_pytorch_s_outputs() {
    let mut compared = 0;
    for path in programs() {
        for optimization in [Optimization::Exact, Optimization::Fast] {
            let (model, calls) = (load(&path, optimization), Calls::beside(&path));
            for call in 0..calls.len() {
                let inputs = calls.inputs(call, model.interface().inputs.len());
                let inputs: Vec<_> = inputs.iter().map(|array| array.as_ref().map(Array::tensor)).collect();
                let outputs = model.run(&inputs, &RunOptions::default()).unwrap();
                for (output, expected) in outputs.iter().zip(calls.outputs(call, outputs.len())) {
                    let error = Array::of(output.as_ref().unwrap()).error_against(&expected.unwrap());
                    assert!(error < 1e-5, "{} call {call}: {error}", path.display());
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 300, "{compared}");
}

#[test]
fn refused_sizes_are_errors_that_name_the_input() {
    let mut found = 0;
    for path in programs() {
        let model = load(&path, Optimization::Exact);
        for inputs in refused(&path, model.interface().inputs.len()) {
            let error = model.run(&inputs, &RunOptions::default()).unwrap_err();
            let Error::Input { input, .. } = &error else { panic!("{}: {error}", path.display()) };
            assert!(model.interface().inputs.iter().any(|port| port.name == *input), "{error}");
            found += 1;
        }
    }
    assert!(found > 60, "{found}");
}

#[test]
fn errors_state_the_relation() {
    let cases: [(&str, &[&str]); 5] = [
        (
            "spec_even",
            &[
                "input `args[0]`: dimension 0 is 7, expected a multiple of 2 (assertion `Eq(Mod(u0, 2), 0)`)",
                "input `args[1]`: dimension 0 is 15, expected 16, as dimension 0 of `args[0]` is 8 (assertion `Eq(u1, 2*u0)`)",
                "input `args[0]`: dimension 0 is 0, expected at least 2 (assertion `u0 >= 2`)",
                "input `args[0]`: dimension 0 is 1, expected at least 2 (assertion `u0 >= 2`)",
                "input `args[0]`: dimension 0 is 34, expected at most 32 (symbol u0)",
                "input `args[1]`: dimension 0 is 65, expected at most 64 (assertion `u1 <= 64`)",
            ],
        ),
        (
            "spec_order",
            &[
                "input `args[0]`: dimension 0 is 0, expected at least 1 (assertion `u0 >= 1`)",
                "input `args[1]`: dimension 0 is 8, expected less than 5, as dimension 0 of `args[0]` is 5 (assertion `u1 < u0`)",
                "input `args[1]`: dimension 0 is 5, expected less than 5, as dimension 0 of `args[0]` is 5 (assertion `u1 < u0`)",
                "input `args[0]`: dimension 0 is 11, expected other than 11 (assertion `Ne(u0, 11)`)",
                "input `args[0]`: dimension 0 is 8, expected at most 3, as dimension 0 of `args[1]` is 0 (assertion `u0 <= 2*u1 + 3`)",
                "input `args[0]`: dimension 0 is 9, expected a multiple of 3 plus 2 (assertion `Eq(Mod(u0, 3), 2)`)",
            ],
        ),
        (
            "spec_ints",
            &[
                "input `args[1]`: it is -11, expected at least -5 (assertion `u1 >= -5`)",
                "input `args[1]`: it is 11, expected at most 10 (symbol u1)",
                "input `args[2]`: it is -1, expected at least 0 (assertion `u2 >= 0`)",
                "input `args[2]`: it is 7, expected at most 6 (symbol u2)",
                "input `args[1]`: the program requires `0 < u1 + u2`, but `args[1]` is -5, `args[2]` is 5",
                "input `args[3]`: expected the constant 3, got the int 2",
            ],
        ),
        (
            "spec_derived",
            &[
                "input `args[0]`: dimension 0 is 8, expected 7, as dimension 0 of `args[1]` is 3, dimension 0 of `args[2]` is 4 (assertion `Eq(u0, u1 + u2)`)",
                "input `args[3]`: dimension 0 is 14, expected 13, as dimension 0 of `args[1]` is 3, dimension 0 of `args[2]` is 4 (assertion `Eq(u3, u1*u2 + 1)`)",
                "input `args[3]`: dimension 0 is 1, expected 3, as dimension 0 of `args[1]` is 1, dimension 0 of `args[2]` is 2 (assertion `Eq(u3, u1*u2 + 1)`)",
            ],
        ),
        (
            "spec_image",
            &[
                "input `args[0]`: dimension 0 is 0, expected at least 1 (assertion `u0 >= 1`)",
                "input `args[0]`: dimension 0 is 9, expected at most 8 (symbol u0)",
                "input `args[0]`: dimension 2 is 4, expected 8 to 32 (symbol u1)",
                "input `args[0]`: dimension 2 is 9, expected a multiple of 4 (assertion `Eq(Mod(u1, 4), 0)`)",
                "input `args[0]`: dimension 3 is 13, expected a multiple of 4 (assertion `Eq(Mod(u2, 4), 0)`)",
                "input `args[0]`: dimension 2 is 12, expected at most 8, as dimension 3 of `args[0]` is 8 (assertion `u1 <= u2`)",
                "input `args[0]`: dimension 3 is 36, expected 8 to 32 (symbol u2)",
            ],
        ),
    ];
    for (name, sentences) in cases {
        let path = repository(&format!("tests/archives/2.15.0/{name}.pt2"));
        let model = load(&path, Optimization::Exact);
        let errors = refused(&path, model.interface().inputs.len());
        let errors: Vec<String> = errors
            .iter()
            .map(|inputs| model.run(inputs, &RunOptions::default()).unwrap_err().to_string())
            .collect();
        assert_eq!(errors, sentences, "{name}");
    }
}

#[test]
fn asserted_lower_bounds_are_the_symbols_bounds() {
    let bounds = |name: &str| {
        let path = repository(&format!("tests/archives/2.15.0/{name}.pt2"));
        let symbols = load(&path, Optimization::Exact).interface().symbols.clone();
        symbols.iter().map(|symbol| (symbol.min, symbol.max)).collect::<Vec<_>>()
    };
    assert_eq!(bounds("spec_even")[0], (Some(2), Some(32)));
    assert_eq!(bounds("spec_free"), [(Some(0), None)]);
    assert_eq!(bounds("spec_ints"), [(Some(0), None), (Some(-5), Some(10)), (Some(0), Some(6))]);
}
