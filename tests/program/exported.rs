//! Every genuine program of every PyTorch version since 2.6 parses, with equal interfaces in each.

use crate::repository::repository;
use std::path::Path;

use pt2_format::archive::{Archive, ReadOptions};
use pt2_format::program::schema::{ConstantValue, ScalarType};
use pt2_format::program::{Dim, InputView, PayloadConfig, Port, PortKind, Program};

fn archives() -> Vec<std::path::PathBuf> {
    let folder = repository("tests/archives");
    let versions = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = versions.filter(|path| path.is_dir()).flat_map(|path| std::fs::read_dir(path).unwrap());
    let mut files: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "pt2"));
    files.sort();
    files
}

fn open(path: &Path) -> Archive {
    Archive::open(path, &ReadOptions::default()).unwrap()
}

/// The entries whose names end like this.
fn entries(path: &Path, end: &str) -> Vec<(String, Vec<u8>)> {
    let archive = open(path);
    let names = archive.entries().map(|entry| entry.name().to_owned());
    let names = names.filter(|name| name.ends_with(end));
    names.map(|name| (name.clone(), archive.entry(&name).unwrap().bytes().to_vec())).collect()
}

fn program(path: &Path) -> Program {
    let json = open(path).program("model").unwrap();
    Program::parse(json.bytes()).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

/// Returns the program of this name in each version.
fn versions(name: &str) -> Vec<Program> {
    let of_name = |path: &std::path::PathBuf| path.file_stem().is_some_and(|stem| stem == name);
    archives().into_iter().filter(of_name).map(|path| program(&path)).collect()
}

fn names(ports: &[Port]) -> Vec<&str> {
    ports.iter().map(|port| port.name.as_str()).collect()
}

fn tensor(sizes: &[i64]) -> InputView<'_> {
    InputView::Tensor { dtype: ScalarType::Float, sizes }
}

#[test]
fn every_program_parses() {
    let archives = archives();
    assert!(archives.len() >= 33);
    for path in &archives {
        let program = program(path);
        assert!(program.torch_version.starts_with('2'), "{path:?}");
        assert_eq!(program.schema_version.major, 8);
        assert!(program.interface.unchecked_guards.is_empty(), "{path:?}");
    }
}

#[test]
fn every_payload_list_parses() {
    let mut lists = 0;
    for path in archives() {
        for (name, json) in entries(&path, "_config.json") {
            let list = PayloadConfig::parse(&json).unwrap_or_else(|error| panic!("{path:?} {name}: {error}"));
            lists += 1;
            if path.ends_with("2.15.0/train_buffers.pt2") && name.contains("weights") {
                let (name, meta) = &list.entries()[0];
                assert_eq!((name.as_str(), meta.path_name.as_str()), ("bn.weight", "weight_0"));
                assert_eq!(meta.tensor_meta.as_ref().unwrap().dtype, ScalarType::Float);
                assert!(meta.is_param && !meta.use_pickle);
            }
        }
    }
    assert!(lists >= 28, "{lists}");
}

#[test]
fn a_resnet_has_one_tensor_in_and_out() {
    for program in versions("mini_resnet") {
        let interface = &program.interface;
        assert_eq!(names(&interface.inputs), ["args[0]"]);
        assert_eq!(names(&interface.outputs), ["result"]);
        let PortKind::Tensor(input) = &interface.inputs[0].kind else { panic!() };
        assert_eq!(input.dtype, ScalarType::Float);
        let symbol = interface.names.names()[0].clone();
        assert_eq!(interface.symbols[0].name, symbol);
        assert_eq!((interface.symbols[0].min, interface.symbols[0].max), (Some(0), Some(512)));
        assert!(matches!(input.sizes[..], [Dim::Expr(_), Dim::Fixed(_), Dim::Fixed(_), Dim::Fixed(_)]));
        assert_eq!(interface.check(&[tensor(&sizes(input, 3))]).unwrap()[0], Some(3));
        let error = interface.check(&[tensor(&sizes(input, 513))]).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("input `args[0]`: dimension 0 is 513, expected at most 512 (symbol {symbol})")
        );
    }
}

fn sizes(port: &pt2_format::program::TensorPort, batch: i64) -> Vec<i64> {
    let size = |dim: &Dim| if let Dim::Fixed(size) = dim { *size } else { batch };
    port.sizes.iter().map(size).collect()
}

#[test]
fn a_tree_has_readable_paths() {
    let programs = versions("tree");
    assert!(programs.len() >= 10, "{}", programs.len());
    for program in programs {
        let interface = &program.interface;
        let inputs = ["args[0][0]", "args[0][1]", "kwargs[\"extra\"][\"bias\"]"];
        assert_eq!(names(&interface.inputs), inputs);
        let outputs = ["result[\"sum\"]", "result[\"rows\"]", "result[\"more\"][0]", "result[\"more\"][1]"];
        assert_eq!(names(&interface.outputs), outputs);
        assert!(matches!(interface.outputs[1].kind, PortKind::Int(Some(_))));
        let PortKind::Tensor(pair) = &interface.inputs[0].kind else { panic!() };
        let PortKind::Tensor(bias) = &interface.inputs[2].kind else { panic!() };
        let (three, four, bias) = (sizes(pair, 3), sizes(pair, 4), sizes(bias, 3));
        interface.check(&[tensor(&three), tensor(&three), tensor(&bias)]).unwrap();
        let error = interface.check(&[tensor(&three), tensor(&four), tensor(&bias)]).unwrap_err().to_string();
        let symbol = &interface.symbols[0].name;
        assert_eq!(
            error,
            format!(
                "input `args[0][1]`: dimension 0 is 4, expected 3, the same as dimension 0 of `args[0][0]` (symbol {symbol})"
            )
        );
    }
}

#[test]
fn trees_of_every_container() {
    let program = Program::parse(include_bytes!("trees.json")).unwrap();
    let interface = &program.interface;
    assert_eq!(
        names(&interface.inputs),
        [
            "args[0]",
            "args[1].a",
            "args[1].b",
            "args[2].x",
            "args[2].y",
            "args[3][1]",
            "args[3][\"q\"]",
            "args[4]",
            "args[5]",
            "args[6]",
            "args[7]",
            "args[8]",
            "kwargs[\"mask\"]",
            "kwargs[\"kw\"]"
        ]
    );
    assert_eq!(
        names(&interface.outputs),
        [
            "result[\"logits\"]",
            "result[3].x",
            "result[3].y",
            "result[\"pair\"].a",
            "result[\"pair\"].b",
            "result[\"od\"][\"a\"]",
            "result[\"n\"]",
            "result[\"k\"]",
            "result[\"s\"]",
            "result[\"dd\"][\"u\"]",
            "result[\"dq\"][0]"
        ]
    );
    let constants = [
        (7, ConstantValue::Int(3)),
        (8, ConstantValue::Bool(true)),
        (9, ConstantValue::String("mode".into())),
        (10, ConstantValue::Float(1.5)),
        (11, ConstantValue::None),
        (12, ConstantValue::None),
    ];
    for (place, constant) in constants {
        assert_eq!(interface.inputs[place].kind, PortKind::Constant(constant));
        assert_eq!(interface.inputs[place].value, "");
    }
    assert_eq!(interface.outputs[6].kind, PortKind::Constant(ConstantValue::None));
    assert_eq!(interface.outputs[7].kind, PortKind::Constant(ConstantValue::Int(7)));
    assert_eq!(interface.outputs[8].kind, PortKind::Constant(ConstantValue::String("txt".into())));
}

#[test]
fn numbers_in_and_out() {
    let program = Program::parse(include_bytes!("numbers.json")).unwrap();
    let outputs = &program.interface.outputs;
    assert!(matches!(program.interface.inputs[1].kind, PortKind::Int(Some(_))));
    let shown = outputs.iter().filter_map(|port| match &port.kind {
        PortKind::Int(Some(expr)) | PortKind::Float(Some(expr)) => {
            Some(expr.display(&program.interface.names).to_string())
        }
        _ => None,
    });
    let shown: Vec<_> = shown.collect();
    assert_eq!(shown, ["2*s86", "s77/3", "s77**2", "s77%4"]);
    let bindings = program.interface.check(&[tensor(&[9]), InputView::Int(5)]).unwrap();
    let PortKind::Tensor(zeros) = &outputs[5].kind else { panic!() };
    let Dim::Expr(size) = &zeros.sizes[0] else { panic!() };
    assert_eq!(size.eval_int(&bindings), Ok(27));
}

#[test]
fn sizes_that_depend_on_data_have_a_range_and_no_value() {
    let program = Program::parse(include_bytes!("data.json")).unwrap();
    let symbols = &program.interface.symbols;
    assert_eq!((symbols[0].name.as_str(), symbols[0].min, symbols[0].max), ("u0", Some(2), Some(10)));
    let long = InputView::Tensor { dtype: ScalarType::Long, sizes: &[] };
    assert_eq!(program.interface.check(&[tensor(&[12]), long]).unwrap(), [None]);
}
