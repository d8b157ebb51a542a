//! Every kind of argument in the schema, from a program's JSON to the graph and its text form.

use pt2_format::program::Program;
use pt2_graph::graph;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const DOUBLE: &str = include_str!("../program/double.json");
const INPUTS: &str = "/graph_module/graph/nodes/0/inputs";

/// One value of each kind.
fn kinds() -> Vec<(&'static str, Value)> {
    let tensor = json!({"name": "x"});
    let graph = json!({"inputs": [], "outputs": [], "nodes": [], "tensor_values": {}, "sym_int_values": {},
        "sym_bool_values": {}, "is_single_tensor_return": false, "custom_obj_values": {}});
    vec![
        ("as_none", json!(true)),
        ("as_tensor", tensor.clone()),
        ("as_tensors", json!([tensor])),
        ("as_int", json!(-7)),
        ("as_ints", json!([1, 2])),
        ("as_float", json!("Infinity")),
        ("as_floats", json!([0.5, "NaN"])),
        ("as_string", json!("mean")),
        ("as_strings", json!(["a", ""])),
        ("as_sym_int", json!({"as_int": 3})),
        ("as_sym_ints", json!([{"as_int": 3}])),
        ("as_scalar_type", json!(7)),
        ("as_memory_format", json!(2)),
        ("as_layout", json!(7)),
        ("as_device", json!({"type": "cuda", "index": 1})),
        ("as_bool", json!(true)),
        ("as_bools", json!([true, false])),
        ("as_sym_bool", json!({"as_bool": true})),
        ("as_sym_bools", json!([{"as_bool": true}])),
        ("as_graph", json!({"name": "body", "graph": graph})),
        ("as_optional_tensors", json!([{"as_tensor": tensor}, {"as_none": true}])),
        ("as_operator", json!("torch.ops.aten.add.Tensor")),
        ("as_sym_float", json!({"as_float": 1.5})),
        ("as_sym_floats", json!([{"as_float": 1.5}])),
        ("as_optional_tensor", json!({"as_none": true})),
        ("as_complex", json!({"real": 1.0, "imag": -2.0})),
        ("as_nested_tensors", json!([[tensor], []])),
        ("as_int_lists", json!([[1], [2, 3]])),
        ("as_float_lists", json!([[1.0], []])),
        ("as_string_to_argument", json!({"key": {"as_int": 1}})),
    ]
}

/// The program with one more argument on its first node.
fn with(kind: &str, value: &Value) -> String {
    let mut document: Value = serde_json::from_str(DOUBLE).unwrap();
    let inputs = document.pointer_mut(INPUTS).unwrap().as_array_mut().unwrap();
    inputs.push(json!({"name": "more", "arg": {kind: value}, "kind": 1}));
    document.to_string()
}

#[test]
fn every_kind_becomes_an_operand_that_can_be_written_and_read() {
    for (kind, value) in kinds() {
        let program =
            Program::parse(with(kind, &value).as_bytes()).unwrap_or_else(|error| panic!("{kind}: {error}"));
        let graph =
            graph::import(&program.graph_module).unwrap_or_else(|error| panic!("{kind}: {error}")).graph;
        let text = graph.to_string();
        let read = graph::parse(&text).unwrap_or_else(|error| panic!("{kind}: {error}\n{text}"));
        assert_eq!(read.to_string(), text, "{kind}");
    }
}

#[test]
fn a_custom_object_that_nothing_defines_is_refused() {
    let object = json!({"name": "kept", "class_fqn": "__torch__.my.Class"});
    let program = Program::parse(with("as_custom_obj", &object).as_bytes()).unwrap();
    let error = graph::import(&program.graph_module).unwrap_err().to_string();
    assert!(error.contains("my.Class") || error.contains("kept"), "{error}");
}

#[test]
fn a_kind_of_the_future_is_refused_by_name() {
    let error = Program::parse(with("as_future", &json!(1)).as_bytes()).unwrap_err().to_string();
    assert!(error.contains("as_future"), "{error}");
}

/// Compares with the installed PyTorch's list. A libtorch without Python has none.
#[test]
fn the_list_is_that_of_the_installed_pytorch() {
    let Some(libtorch) = option_env!("LIBTORCH") else { return };
    let Ok(schema) = std::fs::read_to_string(format!("{libtorch}/_export/serde/schema.py")) else { return };
    let class = schema.split("class Argument(_Union):").nth(1).unwrap().split("\nclass ").next().unwrap();
    let theirs: BTreeSet<&str> = class
        .lines()
        .filter_map(|line| line.trim().split_once(": Annotated").map(|(name, _)| name))
        .collect();
    let kinds = kinds();
    // 8.20 added one.
    let ours =
        kinds.iter().map(|(kind, _)| *kind).chain(["as_custom_obj"]).filter(|kind| *kind != "as_float_lists");
    assert_eq!(
        ours.collect::<BTreeSet<_>>(),
        theirs.into_iter().filter(|kind| *kind != "as_float_lists").collect()
    );
}
