//! Every rule of the program's JSON: a program that violates it, and an error that names the place.

use pt2_format::Error;
use pt2_format::program::schema::Argument;
use pt2_format::program::{PayloadConfig, Program, SCHEMA};
use serde_json::{Value, json};

const DOUBLE: &str = include_str!("double.json");
const TREES: &str = include_str!("trees.json");

/// Returns the message. Any other kind of error fails the test.
fn message(json: &[u8]) -> String {
    match Program::parse(json) {
        Err(error @ (Error::Program { .. } | Error::Unsupported { .. })) => error.to_string(),
        other => panic!("{:?}", other.map(|program| program.torch_version)),
    }
}

/// The message for a program with one value replaced.
fn with(program: &str, pointer: &str, value: Value) -> String {
    let mut document: Value = serde_json::from_str(program).unwrap();
    *document.pointer_mut(pointer).expect(pointer) = value;
    message(document.to_string().as_bytes())
}

/// The message for a program with one key removed.
fn without(program: &str, pointer: &str, key: &str) -> String {
    let mut document: Value = serde_json::from_str(program).unwrap();
    document.pointer_mut(pointer).unwrap().as_object_mut().unwrap().shift_remove(key).expect(key);
    message(document.to_string().as_bytes())
}

/// The message for a program with one piece of text replaced.
fn edited(from: &str, to: &str) -> String {
    assert!(DOUBLE.contains(from));
    message(DOUBLE.replacen(from, to, 1).as_bytes())
}

/// The first argument of the first node.
const ARGUMENT: &str = "/graph_module/graph/nodes/0/inputs/0/arg";

fn argument(value: Value) -> Result<Argument, String> {
    let mut document: Value = serde_json::from_str(DOUBLE).unwrap();
    *document.pointer_mut(ARGUMENT).unwrap() = value;
    let program = Program::parse(document.to_string().as_bytes()).map_err(|error| error.to_string())?;
    Ok(program.graph_module.graph.nodes[0].inputs[0].arg.clone())
}

#[test]
fn text_that_is_no_json() {
    for (json, sentence) in [
        (&b""[..], "malformed program at the top level: EOF while parsing a value at line 1 column 0"),
        (b"[]", "malformed program at the top level: invalid type: sequence, expected an object"),
        (b"{\"graph_module\": tru}", "malformed program at graph_module: expected ident"),
        (b"{\"a\": \"\xff\"}", "malformed program at the text: it is not UTF-8"),
        (b"{\"a\": \"\\ud80\"}", "malformed program at a: invalid escape"),
    ] {
        let found = message(json);
        assert!(found.starts_with(sentence), "{found}");
    }
    let trailing = message(format!("{DOUBLE} x").as_bytes());
    assert!(trailing.contains("trailing characters"), "{trailing}");
    let half = &DOUBLE[..DOUBLE.len() / 2];
    assert!(message(half.as_bytes()).contains("EOF"));
}

#[test]
fn versions() {
    let found = with(DOUBLE, "/schema_version/major", json!(9));
    assert!(found.starts_with("not supported: schema version 9.17 (PyTorch 2.11.0"), "{found}");
    assert!(found.ends_with("; this library reads 8.x"), "{found}");
    // Another major version may have any structure, so the error names the version and not the
    // first difference.
    let found = message(br#"{"graph_module": 3, "schema_version": {"major": 7, "minor": 1}}"#);
    assert_eq!(found, "not supported: schema version 7.1 (PyTorch unknown); this library reads 8.x");
    let mut newer: Value = serde_json::from_str(DOUBLE).unwrap();
    newer["schema_version"]["minor"] = json!(99);
    newer["new_field"] = json!({"anything": [1, 2.5, null, true, "x"]});
    assert_eq!(Program::parse(newer.to_string().as_bytes()).unwrap().schema_version.minor, 99);
    *newer.pointer_mut(ARGUMENT).unwrap() = json!({"as_novelty": 1});
    let found = message(newer.to_string().as_bytes());
    assert!(found.contains("written with schema 8.99 by PyTorch 2.11.0"), "{found}");
    assert!(found.ends_with(&format!("; {}.{} is the newest that this library knows)", SCHEMA.0, SCHEMA.1)));
}

#[test]
fn unknown_fields_are_skipped_and_unknown_kinds_are_not() {
    let found = argument(json!({"as_novelty": 1})).unwrap_err();
    assert_eq!(
        found.split(" at line").next().unwrap(),
        "malformed program at graph_module.graph.nodes[0].inputs[0].arg: `as_novelty` is not a known kind of Argument"
    );
    assert!(argument(json!({})).unwrap_err().contains("Argument has no kind"));
    assert!(argument(json!({"as_int": null})).unwrap_err().contains("Argument has no kind"));
    assert!(
        argument(json!({"as_int": 1, "as_bool": true})).unwrap_err().contains("has a second kind `as_bool`")
    );
    assert_eq!(argument(json!({"as_tensor": null, "as_int": 1, "as_bool": null})), Ok(Argument::Int(1)));
    assert_eq!(argument(json!({"as_none": true})), Ok(Argument::None));
    let named = argument(json!({"as_tensor": {"name": "x", "colour": "blue"}}));
    assert!(matches!(named, Ok(Argument::Tensor(tensor)) if tensor.name == "x"));
}

#[test]
fn every_kind_of_argument_is_read() {
    for value in [
        json!({"as_tensor": {"name": "x"}}),
        json!({"as_tensors": [{"name": "x"}]}),
        json!({"as_int": -1}),
        json!({"as_ints": [1, 2]}),
        json!({"as_float": 1}),
        json!({"as_floats": [0.5, "NaN", "Infinity", "-Infinity"]}),
        json!({"as_string": "s"}),
        json!({"as_strings": ["s"]}),
        json!({"as_sym_int": {"as_name": "n"}}),
        json!({"as_sym_ints": [{"as_name": "n"}, {"as_int": 1}]}),
        json!({"as_scalar_type": 7}),
        json!({"as_memory_format": 1}),
        json!({"as_layout": 7}),
        json!({"as_device": {"type": "cuda", "index": 1}}),
        json!({"as_device": {"type": "cpu"}}),
        json!({"as_bool": false}),
        json!({"as_bools": [true]}),
        json!({"as_sym_bool": {"as_name": "b"}}),
        json!({"as_sym_bools": [{"as_bool": true}]}),
        json!({"as_graph": {"name": "g", "graph": {"inputs": [], "outputs": [], "nodes": [], "tensor_values": {},
            "sym_int_values": {}, "sym_bool_values": {}}}}),
        json!({"as_optional_tensors": [{"as_tensor": {"name": "x"}}, {"as_none": true}]}),
        json!({"as_custom_obj": {"name": "o", "class_fqn": "c"}}),
        json!({"as_operator": "torch.ops.aten.add.Tensor"}),
        json!({"as_sym_float": {"as_float": 1.5}}),
        json!({"as_sym_floats": [{"as_name": "f"}]}),
        json!({"as_optional_tensor": {"as_none": true}}),
        json!({"as_complex": {"real": "NaN", "imag": 1.0}}),
        json!({"as_nested_tensors": [[{"name": "x"}], []]}),
        json!({"as_int_lists": [[1], [2, 3]]}),
        json!({"as_string_to_argument": {"k": {"as_int": 1}}}),
        json!({"as_float_lists": [[1.5], ["-Infinity"]]}),
    ] {
        argument(value.clone()).unwrap_or_else(|error| panic!("{value}: {error}"));
    }
}

#[test]
fn floats_are_exact_and_may_be_infinite() {
    for (text, value) in [
        ("0.1", 0.1),
        ("1e-05", 1e-5),
        ("2.2250738585072014e-308", f64::MIN_POSITIVE),
        ("0.30000000000000004", 0.1 + 0.2),
        ("7.3177701707893310e+15", 7.317770170789331e15),
        ("Infinity", f64::INFINITY),
        ("-Infinity", f64::NEG_INFINITY),
        ("\"-Infinity\"", f64::NEG_INFINITY),
        ("9007199254740993", 9007199254740992.0),
    ] {
        assert_eq!(float(text), Ok(value), "{text}");
    }
    assert!(float("NaN").unwrap().is_nan() && float("\"NaN\"").unwrap().is_nan());
    for text in ["1e400", "\"inf\"", "\"nan\"", "-NaN", "NaNs", "null", "[]", "\"1.5\"", "Infinit"] {
        assert!(float(text).is_err(), "{text}");
    }
}

/// A float as the argument of a node, spelled like this.
fn float(text: &str) -> Result<f64, String> {
    let mut document: Value = serde_json::from_str(DOUBLE).unwrap();
    *document.pointer_mut(ARGUMENT).unwrap() = json!({"as_float": "HERE"});
    // Words inside strings are unchanged.
    document["torch_version"] = json!("NaN \" -Infinity, \\");
    let text = document.to_string().replace("\"HERE\"", text);
    let program = Program::parse(text.as_bytes()).map_err(|error| error.to_string())?;
    assert_eq!(program.torch_version, "NaN \" -Infinity, \\");
    match program.graph_module.graph.nodes[0].inputs[0].arg {
        Argument::Float(value) => Ok(value),
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn ints_fit_64_bits() {
    assert_eq!(argument(json!({"as_int": i64::MIN})), Ok(Argument::Int(i64::MIN)));
    let wide = DOUBLE.replace(r#""as_int": 3"#, r#""as_int": 9223372036854775808"#);
    assert!(message(wide.as_bytes()).contains("expected i64"));
    let wider = DOUBLE.replace(r#""as_int": 3"#, r#""as_int": 99999999999999999999999"#);
    assert!(message(wider.as_bytes()).contains("expected i64"));
    assert!(argument(json!({"as_int": 1.5})).is_err());
    assert!(argument(json!({"as_int": true})).is_err());
    assert!(argument(json!({"as_bool": 1})).is_err());
}

#[test]
fn duplicate_keys_are_refused() {
    for (from, to) in [
        // In the program, in a record, in a union, in a dictionary, and in skipped values.
        (r#""guards_code":"#, r#""guards_code": [], "guards_code":"#),
        (r#""minor": 17"#, r#""minor": 17, "minor": 17"#),
        (r#"{"as_int": 3}"#, r#"{"as_int": 3, "as_int": 3}"#),
        (r#""opset_version": {"aten": 10"#, r#""opset_version": {"aten": 10, "aten": 10"#),
        (r#""minor": 17"#, r#""minor": 17, "new": {"a": 1, "a": 2}"#),
        (r#""minor": 17"#, r#""minor": 17, "new": 1, "new": 2"#),
        (r#"{"as_int": 3}"#, r#"{"as_expr": null, "as_int": 3, "as_expr": null}"#),
    ] {
        let found = edited(from, to);
        assert!(found.contains("is given twice") || found.contains("has a second kind `as_int`"), "{found}");
    }
}

#[test]
fn numbers_outside_the_enums() {
    for (pointer, number, reason) in [
        ("/graph_module/graph/tensor_values/x/dtype", 0, "unknown ScalarType 0"),
        ("/graph_module/graph/tensor_values/x/dtype", 36, "unknown ScalarType 36"),
        ("/graph_module/graph/tensor_values/x/dtype", -1, "unknown ScalarType -1"),
        ("/graph_module/graph/tensor_values/x/layout", 8, "unknown Layout 8"),
    ] {
        let found = with(DOUBLE, pointer, json!(number));
        assert!(found.contains(reason), "{found}");
        assert!(found.contains("graph_module.graph.tensor_values.x."), "{found}");
    }
    assert!(argument(json!({"as_memory_format": 5})).unwrap_err().contains("unknown MemoryFormat 5"));
}

#[test]
fn fields_missing_in_old_versions_are_optional() {
    let mut old: Value = serde_json::from_str(DOUBLE).unwrap();
    let mut remove = |pointer: &str, keys: &[&str]| {
        let object = old.pointer_mut(pointer).unwrap().as_object_mut().unwrap();
        keys.iter().for_each(|key| drop(object.shift_remove(*key)));
    };
    remove("", &["guards_code", "torch_version", "verifiers"]);
    remove("/graph_module", &["metadata", "treespec_namedtuple_fields"]);
    remove("/graph_module/graph", &["is_single_tensor_return", "custom_obj_values", "sym_float_values"]);
    remove("/graph_module/graph/nodes/0", &["name", "is_hop_single_tensor_return", "metadata"]);
    remove("/graph_module/graph/nodes/0/inputs/0", &["kind"]);
    remove("/graph_module/graph/tensor_values/x/device", &["index"]);
    let program = Program::parse(old.to_string().as_bytes()).unwrap();
    assert_eq!(program.torch_version, "<=2.4");
}

#[test]
fn fields_of_every_version_are_required() {
    for (pointer, key) in [
        ("", "graph_module"),
        ("", "schema_version"),
        ("", "range_constraints"),
        ("/graph_module", "signature"),
        ("/graph_module/graph", "nodes"),
        ("/graph_module/graph/tensor_values/x", "strides"),
        ("/graph_module/graph/nodes/0", "target"),
    ] {
        assert!(without(DOUBLE, pointer, key).contains(&format!("missing field `{key}`")));
    }
}

#[test]
fn a_signature_fits_its_graph() {
    let specs = "/graph_module/signature/input_specs";
    let outs = "/graph_module/signature/output_specs";
    let tensor = |name: &str| json!({"as_tensor": {"name": name}});
    for (pointer, value, sentence) in [
        (specs.into(), json!([]), "signature.input_specs: it has 0 entries, graph.inputs has 2"),
        (outs.into(), json!([]), "signature.output_specs: it has 0 entries, graph.outputs has 3"),
        (
            format!("{specs}/0"),
            json!({"user_input": {"arg": tensor("y")}}),
            "signature.input_specs[0]: it is not the graph's input at this place",
        ),
        (
            format!("{specs}/1"),
            json!({"parameter": {"arg": {"name": "z"}, "parameter_name": "w"}}),
            "signature.input_specs[1]: it is not the graph's input at this place",
        ),
        (
            format!("{specs}/1"),
            json!({"constant_input": {"name": "y", "value": {"as_int": 3}}}),
            "signature.input_specs[1]: it is not the graph's input at this place",
        ),
        (
            format!("{specs}/1"),
            json!({"parameter": {"arg": {"name": "y"}, "parameter_name": "w"}}),
            "in_spec: it has 2 leaves, the signature 1 inputs that the caller gives",
        ),
        (
            format!("{outs}/0"),
            json!({"user_output": {"arg": tensor("x")}}),
            "signature.output_specs[0]: it is not the graph's output at this place",
        ),
        (
            format!("{outs}/0"),
            json!({"buffer_mutation": {"arg": {"name": "add"}, "buffer_name": "b"}}),
            "signature.output_specs[0]: there is no buffer `b`",
        ),
        (
            format!("{outs}/0"),
            json!({"user_input_mutation": {"arg": {"name": "add"}, "user_input_name": "z"}}),
            "signature.output_specs[0]: there is no input `z`",
        ),
        (
            format!("{outs}/0"),
            json!({"parameter_mutation": {"arg": {"name": "add"}, "parameter_name": "p"}}),
            "signature.output_specs[0]: there is no parameter `p`",
        ),
        (
            format!("{outs}/0"),
            json!({"user_input_mutation": {"arg": {"name": "add"}, "user_input_name": "x"}}),
            "out_spec: it has 3 leaves, the signature 2 outputs that the caller gets",
        ),
        ("/graph_module/graph/inputs/1".into(), tensor("x"), "graph.inputs: `x` is given twice"),
        (
            "/graph_module/module_call_graph".into(),
            json!([]),
            "module_call_graph: the root module has no signature",
        ),
    ] {
        assert_eq!(with(DOUBLE, &pointer, value), format!("malformed program at {sentence}"));
    }
    let constant = "/graph_module/signature/input_specs/7/constant_input/value";
    let found = with(TREES, constant, json!({"as_int": 4}));
    assert!(found.ends_with("input_specs[7]: it is not the graph's input at this place"), "{found}");
}

#[test]
fn values_of_the_interface_are_described() {
    let graph = "/graph_module/graph";
    for (pointer, key, sentence) in [
        ("/tensor_values", "x", "graph.tensor_values: `x` is missing"),
        ("/tensor_values", "add", "graph.tensor_values: `add` is missing"),
        ("/sym_int_values", "mul", "graph.sym_int_values: `mul` is missing"),
    ] {
        let found = without(DOUBLE, &format!("{graph}{pointer}"), key);
        assert_eq!(found, format!("malformed program at {sentence}"));
    }
    let x = format!("{graph}/tensor_values/x");
    for (field, value, sentence) in [
        ("sizes/1", json!({"as_int": -3}), "graph.tensor_values.x: a size is negative"),
        ("strides", json!([]), "graph.tensor_values.x: sizes and strides differ in number"),
        (
            "sizes/1",
            json!({"as_expr": {"expr_str": "Wobble(Integer(1))"}}),
            "x: unknown function `Wobble` at byte 18 of the expression",
        ),
    ] {
        let found = with(DOUBLE, &format!("{x}/{field}"), value);
        assert_eq!(found, format!("malformed program at {sentence}"));
    }
}

#[test]
fn ranges_make_sense() {
    let found = with(DOUBLE, "/range_constraints/s77/min_val", json!(65));
    assert_eq!(found, "malformed program at range_constraints.s77: 65..64 is empty");
}

#[test]
fn trees_make_sense() {
    let root = "/graph_module/module_call_graph/0/signature";
    let leaf = r#"{"type": null, "context": null, "children_spec": []}"#;
    for (field, text, reason) in [
        ("in_spec", "".to_owned(), "a list of a protocol number and a tree is expected at byte 0"),
        ("in_spec", "{}".to_owned(), "a list of a protocol number and a tree is expected"),
        ("in_spec", "[1".to_owned(), "`,` is expected at byte 2"),
        ("in_spec", "[1, {".to_owned(), "a string is expected at byte 5"),
        ("in_spec", "[1, {}]".to_owned(), "missing field `type` at byte 6"),
        ("in_spec", r#"[1, {"type": 3}]"#.to_owned(), "`3` is no type"),
        ("in_spec", r#"[1, {"type": null, "type": null}]"#.to_owned(), "the key `type` is given twice"),
        ("in_spec", format!("[1, {}]", r#"{"children_spec": ["#.repeat(513)), "nests deeper than 512"),
        ("in_spec", format!(r#"[1, {{"context": [{}]}}]"#, "0,".repeat(1 << 18)), "nodes and values"),
        ("in_spec", format!("[2, {leaf}]"), "tree protocol 2 is not known"),
        ("in_spec", format!("[1, {leaf}, 3]"), "`]` is expected"),
        ("in_spec", format!("[1, {leaf}]"), "it is not a pair of positional and keyword arguments"),
        (
            "out_spec",
            format!(r#"[1, {{"type": null, "context": null, "children_spec": [{leaf}]}}]"#),
            "a leaf has children",
        ),
        (
            "out_spec",
            format!(r#"[1, {{"type": "builtins.dict", "context": "[]", "children_spec": [{leaf}]}}]"#),
            "builtins.dict has 1 children and 0 keys",
        ),
        ("out_spec", format!("[1, {leaf}]"), "it has 1 leaves, the signature 3 outputs that the caller gets"),
    ] {
        let found = with(DOUBLE, &format!("{root}/{field}"), json!(text));
        assert!(found.contains(reason), "{text}: {found}");
    }
}

#[test]
fn lists_of_payloads() {
    let meta = r#"{"path_name": "weight_0", "is_param": true, "use_pickle": true, "tensor_meta": null}"#;
    let list = |entries: String| PayloadConfig::parse(format!(r#"{{"config": {{{entries}}}}}"#).as_bytes());
    let read = list(format!(r#""b": {meta}, "a": {meta}"#)).unwrap();
    let names: Vec<_> = read.entries().iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["b", "a"]);
    let error = list(format!(r#""b": {meta}, "b": {meta}"#)).unwrap_err().to_string();
    assert!(error.contains("the key `b` is given twice"), "{error}");
    let error = list(r#""b": {"path_name": "x"}"#.into()).unwrap_err().to_string();
    assert!(error.starts_with("malformed program at config.b: missing field `is_param`"), "{error}");
}
