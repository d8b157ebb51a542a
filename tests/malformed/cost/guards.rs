//! Guards in a program: the same grammar, with input sources that stand for expressions.

use super::ledger::bounded;
use pt2_format::program::Program;
use serde_json::{Value, json};

const PROGRAM: &str = include_str!("../../program/guards.json");

/// Memory for each byte of a program's JSON.
const MEMORY: usize = 160;
/// Memory for the names of inputs: 2^24 bytes.
const LEAST: usize = 16 << 20;

fn read(what: &str, program: &Value) {
    let text = program.to_string();
    bounded(what, text.len(), MEMORY, LEAST, || Program::parse(text.as_bytes()).map(|_| ()));
    Program::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{what}: {error}"));
}

/// Returns the first size of the first tensor input with dynamic sizes.
fn size_of_an_input(program: &mut Value) -> &mut Value {
    let values = &mut program["graph_module"]["graph"]["tensor_values"];
    values["x"].pointer_mut("/sizes/0").unwrap()
}

fn program() -> Value {
    serde_json::from_str(PROGRAM).unwrap()
}

#[test]
fn nested_comparisons_in_guards_ranges_and_sizes() {
    let nested = (0..30).fold("s0".to_owned(), |inner, _| format!("(0<{inner}<9)"));
    let mut guards = program();
    guards["guards_code"] = json!([nested]);
    read("guards", &guards);
    let mut ranges = program();
    ranges["range_constraints"][&nested] = json!({"min_val": 0, "max_val": 1});
    read("ranges", &ranges);
    let mut sizes = program();
    *size_of_an_input(&mut sizes) = json!({"as_expr": {"expr_str": nested, "hint": null}});
    read("sizes", &sizes);
}

/// An input source is one symbol, even if its recorded expression is large.
#[test]
fn many_mentions_of_a_place_with_a_large_expression() {
    for terms in [30, 100_000] {
        let mut large = program();
        let size = format!("s0{}", "+s0".repeat(terms));
        *size_of_an_input(&mut large) = json!({"as_expr": {"expr_str": size, "hint": null}});
        let place = "L['x'].size()[0]";
        let mentions = format!("{place}{} > 0", format!("+{place}").repeat(20_000));
        large["guards_code"] = json!(vec![mentions; 4]);
        read("places", &large);
    }
}

/// Inputs of one parameter repeat its name in guards.
#[test]
fn names_of_parameters() {
    let leaf = r#"{"type": null, "context": null, "children_spec": []}"#;
    let mut long = program();
    let signature = &mut long["graph_module"]["module_call_graph"][0]["signature"];
    signature["forward_arg_names"] = json!(["x".repeat(1 << 20)]);
    let count = 2000;
    let tree = |children: &str| {
        format!(r#"{{"type": "builtins.tuple", "context": "null", "children_spec": [{children}]}}"#)
    };
    let dict = r#"{"type": "builtins.dict", "context": "[]", "children_spec": []}"#;
    let leaves = tree(&vec![leaf; count].join(","));
    signature["in_spec"] = json!(format!("[1, {}]", tree(&format!("{}, {dict}", tree(&leaves)))));
    let specs = vec![json!({"user_input": {"arg": {"as_none": true}}}); count];
    let graph = &mut long["graph_module"];
    graph["graph"]["inputs"] = json!(vec![json!({"as_none": true}); count]);
    graph["graph"]["outputs"] = json!([]);
    graph["signature"]["input_specs"] = Value::from(specs);
    graph["signature"]["output_specs"] = json!([]);
    let signature = &mut graph["module_call_graph"][0]["signature"];
    signature["out_spec"] = json!(format!("[1, {}]", tree("")));
    read("a long parameter", &long);
}
