//! Unused values are read without type checks, as in Python: PyTorch 2.11 loaded and ran each of
//! these programs (`torch.export.load`). Used values are type-checked.

use pt2_format::program::{InputView, Program, schema::ScalarType};
use serde_json::{Value, json};

const DOUBLE: &str = include_str!("../program/double.json");
const HUGE: &str = "1180591620717411303424";

fn program() -> Value {
    serde_json::from_str(DOUBLE).unwrap()
}

fn loads(what: &str, text: &str) -> Program {
    let program = Program::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{what}: {error}"));
    pt2_graph::graph::import(&program.graph_module).unwrap_or_else(|error| panic!("{what}: {error}"));
    program
}

/// The program with the text `HUGE` where `value` holds the word.
fn with(pointer: &str, value: Value) -> String {
    let mut program = program();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    program.pointer_mut(parent).unwrap()[key] = value;
    program.to_string().replace("\"HUGE\"", HUGE).replace("\"-HUGE\"", &format!("-{HUGE}"))
}

#[test]
fn values_of_any_kind() {
    let node = "/graph_module/graph/nodes/0";
    for (pointer, value) in [
        ("/opset_version", json!({"aten": "x"})),
        ("/opset_version", json!({"aten": "HUGE"})),
        ("/opset_version", json!({})),
        ("/verifiers", json!([])),
        ("/guards_code", json!([])),
        ("/guards_code", json!(["foo(1)"])),
        (&format!("{node}/metadata"), json!({"a": 1, "b": "HUGE", "c": null, "stack_trace": "x"})),
        (&format!("{node}/metadata"), json!({"stack_trace": null})),
        (&format!("{node}/name"), Value::Null),
        (&format!("{node}/whatever"), json!("HUGE")),
        ("/whatever", json!({"a": [1, {"b": null}]})),
        ("/graph_module/metadata", json!({"x": null, "y": 3})),
        ("/graph_module/treespec_namedtuple_fields", json!({"a": {"field_names": []}})),
        ("/graph_module/module_call_graph/0/signature/inputs", json!([{"as_int": "HUGE"}, 3, null])),
        ("/graph_module/module_call_graph/0/signature/outputs", json!([])),
        ("/graph_module/module_call_graph/0/signature/forward_arg_names", Value::Null),
        (
            "/range_constraints",
            json!({"zz": {"min_val": 5, "max_val": 7}, "foo(": {"min_val": 1, "max_val": 2}}),
        ),
        ("/range_constraints/s77", json!({"min_val": "-HUGE", "max_val": "HUGE"})),
    ] {
        loads(pointer, &with(pointer, value));
    }
}

/// An int beyond 64 bits is ignored as a hint and as a bound.
#[test]
fn ints_beyond_64_bits() {
    let hint = "/graph_module/graph/tensor_values/x/sizes/0/as_expr/hint";
    for value in ["HUGE", "-HUGE"] {
        loads("a hint", &with(hint, json!({"as_int": value})));
    }
    let check = |bounds: Value, rows: i64| {
        let program = loads("bounds", &with("/range_constraints", json!({"s77": bounds})));
        let x = [rows, 3];
        let y = [2 * rows];
        let float = |sizes| InputView::Tensor { dtype: ScalarType::Float, sizes };
        program.interface.check(&[float(&x), float(&y)]).is_ok()
    };
    assert!(check(json!({"min_val": 0, "max_val": "HUGE"}), 1 << 40));
    assert!(check(json!({"min_val": "-HUGE", "max_val": 9}), 9) && !check(json!({"max_val": 9}), 10));
    assert!(!check(json!({"min_val": "HUGE", "max_val": null}), 1 << 40));
    for wrong in ["1.5", "true", "\"4\"", "[]"] {
        let text = with("/range_constraints/s77/min_val", json!("HUGE")).replace(HUGE, wrong);
        assert!(Program::parse(text.as_bytes()).is_err(), "{wrong}");
    }
}

/// Python writes unpaired surrogates for text from bytes that are not UTF-8, and reads them.
#[test]
fn surrogates_without_a_partner() {
    let trace = |escaped: &str| {
        let text = with("/graph_module/graph/nodes/0/metadata", json!({"stack_trace": "@"}));
        let function =
            pt2_graph::graph::import(&loads(escaped, &text.replace('@', escaped)).graph_module).unwrap();
        function.graph.nodes[0].trace.clone().unwrap()
    };
    for (escaped, read) in [
        (r"a\udcffb", "a\u{fffd}b"),
        (r"\ud800", "\u{fffd}"),
        (r"\uDC00\ud800x", "\u{fffd}\u{fffd}x"),
        (r"\ud83d\ude00", "\u{1f600}"),
        (r"\ud83d\ud83d\ude00", "\u{fffd}\u{1f600}"),
        (r"\\ud800", r"\ud800"),
        (r"\\\ud800", "\\\u{fffd}"),
    ] {
        assert_eq!(trace(escaped), read, "{escaped}");
    }
}
