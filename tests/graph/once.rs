//! The part of a program that runs once.

use super::optimizer::function;
use pt2::graph;
use pt2::passes::{self};

#[track_caller]
fn parts(before: &str, once: Option<&str>, call: &str) {
    let parts = passes::split(function(before));
    let text = |text: &str| graph::parse(text).unwrap().to_string();
    parts.call.graph.verify().unwrap();
    assert_eq!(parts.call.graph.to_string(), text(call));
    assert_eq!(parts.once.as_ref().map(|part| part.graph.to_string()), once.map(text));
    assert_eq!(parts.call.inputs.len(), parts.call.graph.inputs.len());
    assert_eq!(parts.once.map_or(0, |part| part.outputs.len()), parts.constants.len());
}

#[test]
fn what_only_weights_decide_runs_once() {
    parts(
        "graph(%w: tensor, %w2: tensor, %w3: tensor, %x: tensor) {
           %t: tensor = aten::t.default(self=%w)
           %s: tensor = aten::mul.Tensor(self=%t, other=2)
           %y: tensor = aten::mm.default(self=%x, mat2=%s)
           %z: tensor = aten::mm.default(self=%y, mat2=%w2)
           return (%z)
         }",
        Some(
            "graph(%w: tensor) {
               %t: tensor = aten::t.default(self=%w)
               %s: tensor = aten::mul.Tensor(self=%t, other=2)
               return (%s)
             }",
        ),
        "graph(%w2: tensor, %x: tensor, %s: tensor) {
           %y: tensor = aten::mm.default(self=%x, mat2=%s)
           %z: tensor = aten::mm.default(self=%y, mat2=%w2)
           return (%z)
         }",
    );
}

#[test]
fn what_may_change_or_is_handed_out_runs_in_every_call() {
    for (lines, returned) in [
        (
            "%v: tensor = aten::view.default(self=%w, size=[2]) %u: tensor = aten::add_.Tensor(self=%v, other=1) %a: tensor = aten::neg.default(self=%w)",
            "%a",
        ),
        ("%a: tensor = aten::neg.default(self=%w)", "%a"),
        ("%a: tensor = aten::neg.default(self=%w) %b: tensor = aten::view.default(self=%a, size=[2])", "%b"),
        (
            "%a: tensor = aten::neg.default(self=%w) %b: tensor = aten::add_.Tensor(self=%a, other=%x) %c: tensor = aten::exp.default(self=%b)",
            "%c",
        ),
        (
            "%a: tensor = aten::bernoulli.default(self=%w) %b: tensor = aten::mul.Tensor(self=%x, other=%a)",
            "%b",
        ),
        (
            "%a: tensor = aten::neg.default(self=%w) %b: tensor = aten::mul.Tensor(self=%a, other=%x)",
            "%b, %w",
        ),
        (
            "%n: int = aten::sym_size.int(self=%w, dim=0) %b: tensor = aten::add.Tensor(self=%x, other=%n)",
            "%b",
        ),
    ] {
        let text = format!("graph(%w: tensor, %x: tensor) {{ {lines} return ({returned}) }}");
        parts(&text, None, &text);
    }
}

#[test]
fn what_would_take_much_more_memory_than_its_weights_is_not_kept() {
    let text = |size: i64| {
        format!(
            "graph(%w: tensor<float32 [1024] [1]>, %x: tensor) {{
               %e: tensor<float32 [{size}, 1024] [0, 1]> = aten::expand.default(self=%w, size=[{size}, 1024])
               %c: tensor<float32 [{size}, 1024] [1024, 1]> = aten::clone.default(self=%e)
               %y: tensor = aten::add.Tensor(self=%x, other=%c)
               return (%y)
             }}"
        )
    };
    let kept = passes::split(function(&text(16)));
    assert_eq!((kept.once.unwrap().graph.nodes.len(), kept.call.graph.nodes.len()), (2, 1));
    let computed = passes::split(function(&text(100_000)));
    assert_eq!((computed.once.unwrap().graph.nodes.len(), computed.call.graph.nodes.len()), (1, 2));
}
