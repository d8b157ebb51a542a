//! Graphs that `verify` rejects, independent of their author.

use pt2_graph::graph::{self, Argument, Graph, Operand, Output, Subgraph, Target, ValueId};

fn sound() -> Graph {
    graph::parse(
        "graph(%x: tensor, %n: int) {
           %a: tensor, [%b: tensor, none] = aten::op.default(self=%x, other=[%x, none, 2])
           %c: tensor = higher_order::cond(%a, graph \"t\"(%x: tensor) { return (%x) }, [%b])
           return (%c, %n, 1)
         }",
    )
    .unwrap()
}

#[track_caller]
fn refused(change: impl FnOnce(&mut Graph), named: &str) {
    let mut graph = sound();
    change(&mut graph);
    let message = graph.verify().unwrap_err().to_string();
    assert!(message.contains(named), "{message}");
}

fn value(id: u32) -> Operand {
    Operand::Value(ValueId(id))
}

#[test]
fn broken_graphs_are_refused() {
    refused(|graph| graph.inputs.push(ValueId(0)), "`x` is defined twice");
    refused(|graph| graph.inputs.push(ValueId(99)), "99");
    refused(|graph| graph.inputs.truncate(1), "`n` is used before");
    refused(|graph| graph.nodes.swap(0, 1), "node `c`: the value `a` is used before");
    refused(|graph| graph.nodes[0].inputs[0].value = value(2), "node `a`: the value `a` is used before");
    refused(|graph| graph.nodes[0].inputs[0].value = value(u32::MAX), "does not exist");
    refused(|graph| graph.nodes[0].inputs[0].value = Operand::List(vec![value(4)]), "`c` is used before");
    refused(|graph| graph.nodes[0].inputs[0].value = Operand::Map(vec![("k".into(), value(4))]), "`c`");
    refused(|graph| graph.nodes[0].outputs[0] = Output::Value(ValueId(1)), "`n` is defined twice");
    refused(|graph| graph.nodes[0].outputs[1] = Output::List(vec![Some(ValueId(2))]), "`a` is defined twice");
    refused(|graph| graph.nodes[0].outputs[0] = Output::None, "`a` is used before");
    refused(|graph| graph.outputs.push(value(9)), "does not exist");
    refused(|graph| drop(graph.nodes.pop()), "`c` is used before");
    refused(|graph| graph.values.push(graph.values[0].clone()), "`x` is never defined");
    refused(|graph| graph.values[1].name = "x".into(), "two are named `x`");
}

#[test]
fn graphs_inside_are_closed() {
    refused(
        |graph| {
            let Operand::Graph(inner) = &mut graph.nodes[1].inputs[1].value else { panic!("no graph") };
            inner.graph.outputs.push(value(1));
        },
        "graph/t, an output: it reads value 1",
    );
}

fn nested(depth: usize) -> Graph {
    let mut graph = Graph::default();
    for _ in 0..depth {
        let inner = Operand::Graph(Box::new(Subgraph { name: "g".into(), graph }));
        let target = Target::HigherOrder("cond".into());
        let inputs = vec![Argument { name: String::new(), keyword: None, value: inner }];
        let node = graph::Node {
            name: "n".into(),
            target,
            inputs,
            outputs: vec![],
            trace: None,
            author: Default::default(),
        };
        graph = Graph { nodes: vec![node], ..Graph::default() };
    }
    graph
}

#[test]
fn depth_is_capped() {
    let small = std::thread::Builder::new().stack_size(256 << 10);
    let run = || {
        nested(graph::MAX_DEPTH).verify().unwrap();
        let message = nested(graph::MAX_DEPTH + 9).verify().unwrap_err().to_string();
        assert!(message.contains("nest deeper"), "{message}");
        let deep = format!("graph() {{ return ({}1{}) }}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(graph::parse(&deep).unwrap_err().to_string().contains("nests deeper"));
    };
    small.spawn(run).unwrap().join().unwrap();
}

#[test]
fn numbering_follows_the_order_of_definition() {
    let mut graph = sound();
    let text = graph.to_string();
    graph.for_each_id_mut(&mut |id| id.0 = 4 - id.0);
    graph.values.reverse();
    graph.values.push(graph.values[0].clone());
    assert_eq!(graph.to_string(), text);
    graph.renumber();
    assert_eq!(graph, sound());
}
