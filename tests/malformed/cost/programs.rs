//! Whole programs, lists of stored tensors, files of `torch.save`, the text form of graphs.

use super::ledger::bounded;
use crate::archive_builder::Zip;
use pt2_format::archive::{ReadOptions, ZipFile};
use pt2_format::program::{PayloadConfig, Program};
use pt2_format::weights::pickle::{read_tensor, read_tensors};
use pt2_graph::graph;
use serde_json::{Value, json};

/// Memory for each byte of JSON: the two bytes of `0,` are an int of 8 in a list that doubles, and an operand of 56.
const JSON: usize = 64;
/// Memory for each byte of a graph's text: `%a,` is an argument of 100 bytes in a list that doubles.
const TEXT: usize = 160;
const LEAST: usize = 1 << 20;

fn program() -> Value {
    serde_json::from_str(include_str!("../../program/double.json")).unwrap()
}

fn read(what: &str, program: &Value) {
    let text = program.to_string();
    bounded(what, text.len(), JSON, LEAST, || {
        Program::parse(text.as_bytes()).and_then(|program| graph::import(&program.graph_module).map(drop))
    });
}

fn node(inputs: Value, output: &str) -> Value {
    json!({"target": "torch.ops.aten.relu.default", "inputs": inputs, "outputs": [{"as_tensor": {"name": output}}],
        "metadata": {}})
}

#[test]
fn programs() {
    const COUNT: usize = 4000;
    let with = |change: &dyn Fn(&mut Value)| {
        let mut program = program();
        change(&mut program["graph_module"]);
        program
    };
    read(
        "nodes",
        &with(&|module| {
            let input = json!([{"name": "self", "arg": {"as_tensor": {"name": "x"}}, "kind": 1}]);
            let more = (0..COUNT).map(|place| node(input.clone(), &format!("more{place}")));
            module["graph"]["nodes"].as_array_mut().unwrap().extend(more);
        }),
    );
    for (kind, item) in [
        ("as_ints", json!(0)),
        ("as_tensors", json!({"name": "x"})),
        ("as_strings", json!("")),
        ("as_sym_ints", json!({"as_int": 0})),
        ("as_int_lists", json!([])),
        ("as_optional_tensors", json!({"as_none": true})),
    ] {
        read(
            kind,
            &with(&|module| {
                let arg = json!([{"name": "a", "arg": {kind: vec![item.clone(); 50_000]}}]);
                module["graph"]["nodes"].as_array_mut().unwrap().push(node(arg, "more"));
            }),
        );
    }
    let empty = json!({"inputs": [], "outputs": [], "nodes": [], "tensor_values": {}, "sym_int_values": {},
        "sym_bool_values": {}});
    read(
        "graphs in a graph of a long name",
        &with(&|module| {
            let graph = |name: &str, graph: &Value| json!({"name": "", "arg": {"as_graph": {"name": name, "graph": graph}}});
            let mut outer = empty.clone();
            let inner: Vec<Value> = (0..COUNT).map(|_| graph("i", &empty)).collect();
            outer["nodes"] = json!([{"target": "torch.ops.higher_order.cond", "inputs": inner, "outputs": [], "metadata": {}}]);
            let outer = json!({"target": "torch.ops.higher_order.cond", "inputs": [graph(&"n".repeat(1 << 20), &outer)],
            "outputs": [], "metadata": {}});
            module["graph"]["nodes"].as_array_mut().unwrap().push(outer);
        }),
    );
    read(
        "metadata",
        &with(&|module| {
            let keys = (0..50_000).map(|key| (key.to_string(), json!("")));
            module["graph"]["nodes"][0]["metadata"] = Value::Object(keys.collect());
        }),
    );
    read(
        "values that nothing defines",
        &with(&|module| {
            let meta = module["graph"]["tensor_values"]["x"].clone();
            (0..COUNT).for_each(|key| module["graph"]["tensor_values"][key.to_string()] = meta.clone());
        }),
    );
    let deep = format!("{{\"a\": {}", "[".repeat(1 << 20));
    bounded("nested JSON", deep.len(), JSON, LEAST, || Program::parse(deep.as_bytes()).is_err());
    let surrogates = format!("{{\"a\": \"{}\", \"b\": NaN}}", "\\ud800".repeat(200_000));
    bounded("surrogates", surrogates.len(), JSON, LEAST, || Program::parse(surrogates.as_bytes()).is_err());
}

#[test]
fn lists_of_stored_tensors() {
    let one = |key: usize| format!("\"{key}\":{{\"path_name\":\"\",\"is_param\":true,\"use_pickle\":false}}");
    let list = format!("{{\"config\":{{{}}}}}", (0..20_000).map(one).collect::<Vec<_>>().join(","));
    bounded("a list", list.len(), JSON, LEAST, || PayloadConfig::parse(list.as_bytes()).unwrap());
}

/// Each opcode repeated. The test `pickle_memory` measures the memory.
#[test]
fn pickles() {
    const SIZE: usize = 1 << 20;
    let text = [b"X\x00\x00\x04\x00", &[b'k'; 1 << 18][..]].concat();
    let cases: [(&str, &[u8], &[u8]); 8] = [
        ("None", b"", b"N"),
        ("marks", b"", b"("),
        ("lists in the memo", b"]q\x01", b"h\x01a"),
        ("tuples of themselves", b")q\x01", b"h\x01h\x01\x86q\x01"),
        ("dictionaries", b"", b"}"),
        ("items of one key", &[b"}q\x01", &text[..], b"q\x02"].concat(), b"h\x02Ns"),
        ("a long text, many times", &[&text[..], b"q\x01"].concat(), b"h\x01"),
        ("globals", b"", b"ctorch\nSize\n)R"),
    ];
    for (what, before, opcodes) in cases {
        let body = [b"\x80\x02}q\x00", before, &opcodes.repeat(SIZE / opcodes.len()), b"."].concat();
        let bytes = Zip::plain(&[("a/data.pkl", &body[..]), ("a/byteorder", b"little")]).write();
        let container = ZipFile::from_bytes(bytes, &ReadOptions::default()).unwrap();
        bounded(what, body.len(), 4, 4 << 20, || {
            (read_tensors(&container).is_ok(), read_tensor(&container).is_ok())
        });
    }
}

#[test]
fn texts_of_graphs() {
    let list = |piece: &str| {
        format!("graph(%a: tensor) {{ %b: tensor = aten::cat.default([{piece}%a]) return (%b) }}")
    };
    let call = |piece: &str| {
        format!("graph(%a: tensor) {{ %b: tensor = aten::cat.default({piece}%a) return (%b) }}")
    };
    let lines = |piece: &str| format!("graph(%a: tensor) {{ {piece} return (%a) }}");
    for (what, text) in [
        ("a list", list(&"%a,".repeat(50_000))),
        ("arguments", call(&"%a,".repeat(50_000))),
        ("arguments of names", call(&"self=%a,".repeat(50_000))),
        ("numbers", list(&"1,".repeat(50_000))),
        ("an open string", list(&"\"\\".repeat(100_000))),
        ("an open escape", list(&"\"\\u{".repeat(100_000))),
        ("one long word", lines(&"a".repeat(200_000))),
        ("nesting", list(&"[".repeat(100_000))),
        (
            "inputs",
            format!("graph({}", (0..20_000).map(|value| format!("%v{value}: int,")).collect::<String>()),
        ),
    ] {
        bounded(what, text.len(), TEXT, LEAST, || graph::parse(&text).is_ok());
    }
}
