//! Text form of graphs: its syntax, and lossless round trips.

use proptest::prelude::*;
use pt2_graph::graph::{self, Operand};

const SAMPLE: &str = r#"graph(%x: tensor<float32 [3, "Symbol('s0')"~4] [4, 1]>, %"odd name": int, %o: object "a.B", %t: token, %k: constant) {
  %a: tensor, none, [%b: tensor, none] = aten::op.overload(self@=%x, from:=[%x, none], other={"k": 1, "l": [[1], []]})
  %c: float = _operator.add(a=%"odd name", b=-1.5) as "sum" trace "File \"x\"\n  line"
  %d: bool = torch.sym_not(1e300, NaN, inf, -inf, -0.0, 0.1, complex(1.0, -inf))
  my_lib::check.default(true, "é\t'\0\u{200b}", torch.float32, torch.channels_last, torch.sparse_coo, device("cuda", 1), device("cpu")) as "check"
  %e: tensor<bfloat16 [] [] offset 7 device("cuda", 0) torch.sparse_csr grad> = higher_order::cond(@=%d, graph "true_0"(%x: tensor) {
    %y: tensor = aten::neg.default(self=%x)
    return (%y)
  }, operator "torch.ops.aten.add.Tensor", -9223372036854775808)
  return (%a, [%b, none], %e, none, 3)
}"#;

#[test]
fn every_form_is_read_and_written_alike() {
    let graph = graph::parse(SAMPLE).unwrap();
    assert_eq!(graph.to_string(), SAMPLE);
}

#[test]
fn blanks_do_not_matter() {
    let text = "graph ( %x : tensor ){%y:tensor=aten::neg.default( self = %x )return(%y)}";
    let graph = graph::parse(text).unwrap();
    assert_eq!(graph.nodes[0].name, "y");
    assert_eq!(graph::parse(&graph.to_string()).unwrap(), graph);
}

#[test]
fn errors_name_the_line_and_the_cause() {
    for (text, named) in [
        ("", "`graph` is missing"),
        ("graph() { return () } x", "follows the graph"),
        ("graph(%x: tensr) { return () }", "`tensr`"),
        ("graph(%x: tensor, %x: int) { return () }", "`x` is defined twice"),
        ("graph() {\n return (%y) }", "line 2"),
        ("graph() { return (%y) }", "`y` is not defined"),
        ("graph() { aten::x() return () }", "`aten::x`"),
        ("graph() { %a: int = os.system() return () }", "`os.system`"),
        ("graph() { return (99999999999999999999) }", "99999999999999999999"),
        ("graph() { return (torch.float31) }", "`torch.float31`"),
        ("graph() { return (\"abc) }", "no end"),
        ("graph() { return (\"\\q\") }", "escape"),
        ("graph() { return (1 2) }", "`,` is missing"),
        ("graph() { %a: int = _operator.neg(%a) return () }", "`a` is used before"),
    ] {
        let message = graph::parse(text).unwrap_err().to_string();
        assert!(message.contains(named), "{message}");
    }
}

fn operand() -> impl Strategy<Value = Operand> {
    let leaf = prop_oneof![
        Just(Operand::None),
        any::<bool>().prop_map(Operand::Bool),
        any::<i64>().prop_map(Operand::Int),
        proptest::num::f64::ANY.prop_filter("NaN equals nothing", |x| !x.is_nan()).prop_map(Operand::Float),
        any::<String>().prop_map(Operand::String),
        any::<String>().prop_map(Operand::Operator),
    ];
    leaf.prop_recursive(4, 20, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Operand::List),
            proptest::collection::vec((any::<String>(), inner), 0..3).prop_map(Operand::Map),
        ]
    })
}

proptest! {
    #[test]
    fn any_operand_survives(operand in operand(), name in any::<String>()) {
        let mut graph = graph::parse("graph(%x: tensor) { %y: int = aten::op.default(a=1) return () }").unwrap();
        graph.outputs.push(operand.clone());
        graph.nodes[0].inputs[0].value = operand;
        graph.nodes[0].inputs[0].name = name.clone();
        graph.nodes[0].name = name.clone();
        graph.nodes[0].trace = Some(name.clone());
        graph.values[0].name = format!("v{name}");
        prop_assert_eq!(&graph::parse(&graph.to_string()).unwrap(), &graph);
    }

    #[test]
    fn any_text_is_parsed_or_refused(place in any::<prop::sample::Index>(), character in any::<char>(), cut in any::<bool>()) {
        let mut text: Vec<char> = SAMPLE.chars().collect();
        let index = place.index(text.len());
        if cut { text.truncate(index); } else { text[index] = character; }
        let _ = graph::parse(&text.into_iter().collect::<String>());
    }
}
