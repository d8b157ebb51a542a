//! Const subgraph of constant folding.

use super::optimizer::function;
use pt2_graph::graph;
use pt2_graph::passes::{self};

const V: &str = "tensor<float32 [2] [1]>";
const W: &str = "tensor<float32 [2, 2] [2, 1]>";

#[track_caller]
fn parts(before: &str, once: Option<&str>, call: &str) {
    let parts = passes::split_const_subgraph(function(before));
    let text = |text: &str| graph::parse(text).unwrap().to_string();
    parts.call.graph.verify().unwrap();
    assert_eq!(parts.call.graph.to_string(), text(call));
    assert!(parts.at_load.is_none());
    let once_part = parts.at_first_call;
    assert_eq!(once_part.as_ref().map(|part| part.function.graph.to_string()), once.map(text));
    assert_eq!(parts.call.inputs.len(), parts.call.graph.inputs.len());
    if let Some(part) = once_part {
        assert_eq!(part.function.outputs.len(), part.names.len());
    }
}

#[test]
fn nodes_that_depend_only_on_weights_are_folded() {
    parts(
        &format!(
            "graph(%w: {W}, %w2: {W}, %w3: {W}, %x: tensor) {{
               %t: tensor = aten::t.default(self=%w)
               %s: tensor = aten::mul.Tensor(self=%t, other=2)
               %y: tensor = aten::mm.default(self=%x, mat2=%s)
               %z: tensor = aten::mm.default(self=%y, mat2=%w2)
               return (%z)
             }}"
        ),
        Some(&format!(
            "graph(%w: {W}) {{
               %t: tensor = aten::t.default(self=%w)
               %s: tensor = aten::mul.Tensor(self=%t, other=2)
               return (%s)
             }}"
        )),
        &format!(
            "graph(%w2: {W}, %x: tensor, %s: tensor) {{
               %y: tensor = aten::mm.default(self=%x, mat2=%s)
               %z: tensor = aten::mm.default(self=%y, mat2=%w2)
               return (%z)
             }}"
        ),
    );
}

#[test]
fn mutable_and_returned_values_are_computed_in_every_call() {
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
        let text = format!("graph(%w: {V}, %x: tensor) {{ {lines} return ({returned}) }}");
        parts(&text, None, &text);
    }
}

#[test]
fn constants_much_larger_than_their_weights_are_not_folded() {
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
    let nodes = |size| {
        let parts = passes::split_const_subgraph(function(&text(size)));
        (parts.at_first_call.unwrap().function.graph.nodes.len(), parts.call.graph.nodes.len())
    };
    assert_eq!(nodes(16), (2, 1));
    assert_eq!(nodes(100_000), (1, 2));
}

/// Sizes claimed by the archive are ignored, and a value of unknown size is not folded.
#[test]
fn sizes_are_those_of_stored_tensors_and_arguments() {
    for (claim, line, kept) in [
        ("", "aten::full.default(size=[1073741824], fill_value=1.0)", false),
        ("<float32 [1] [1]>", "aten::full.default(size=[1073741824], fill_value=1.0)", false),
        ("<float32 [1] [1]>", "aten::full.default(size=[1024], fill_value=1.0)", true),
        ("<float32 [1073741824] [1]>", "aten::neg.default(self=%w)", true),
        ("", "aten::repeat.default(self=%w, repeats=[1073741824])", false),
        ("<float32 [2] [1]>", "aten::topk.default(self=%w, k=2)", false),
        ("", "aten::outer.default(self=%w, vec2=%w)", true),
        ("", "aten::cat.default(tensors=[%w, %w, %w])", true),
    ] {
        let text = format!(
            "graph(%w: {V}, %x: tensor) {{
               %c: tensor{claim} = {line}
               %y: tensor = aten::add.Tensor(self=%x, other=%c)
               return (%y)
             }}"
        );
        assert_eq!(passes::split_const_subgraph(function(&text)).at_first_call.is_some(), kept, "{line}");
    }
}

/// Work counts by elements: an expanded scalar has little memory and many elements.
#[test]
fn elements_that_are_read_count() {
    for (size, nodes) in [(1i64 << 20, 2), (1 << 42, 1)] {
        let text = format!(
            "graph(%w: tensor<float32 [] []>, %x: tensor) {{
               %e: tensor = aten::expand.default(self=%w, size=[{size}])
               %s: tensor = aten::sum.default(self=%e)
               %y: tensor = aten::add.Tensor(self=%x, other=%s)
               return (%y)
             }}"
        );
        let parts = passes::split_const_subgraph(function(&text));
        assert_eq!(parts.at_first_call.unwrap().function.graph.nodes.len(), nodes, "{size}");
    }
}

/// Many small constants are bounded like one large one.
#[test]
fn all_constants_together_are_bounded() {
    let line = |at| format!("%c{at}: tensor = aten::full.default(size=[131072], fill_value={at}.0)\n");
    let adds = |at: usize| format!("%y{}: tensor = aten::add.Tensor(self=%y{at}, other=%c{at})\n", at + 1);
    let lines: String = (0..500).flat_map(|at| [line(at), adds(at)]).collect();
    let parts =
        passes::split_const_subgraph(function(&format!("graph(%y0: tensor) {{ {lines} return (%y500) }}")));
    let kept = parts.at_first_call.unwrap().names.len();
    // 64 MiB in float64, which an operator without a dtype could return.
    assert_eq!(kept, 64);
}

/// A node is folded at load if a pass wrote it and all its operands are stored; otherwise in the
/// first call.
#[test]
fn only_nodes_of_passes_are_folded_at_load() {
    let product = "pt2::product.default(self=%w, other=%f, memory_format=torch.contiguous_format)";
    for (factors, line, early) in [
        ("aten::neg.default(self=%w2)", product, [true, true]),
        ("aten::neg.default(self=%w2)", product, [false, true]),
        ("aten::neg.default(self=%w2)", "aten::mul.Tensor(self=%w, other=%f)", [true, true]),
        ("aten::clone.default(self=%w2)", product, [true, true]),
        ("aten::clone.default(self=%w2)", product, [true, false]),
    ] {
        let text = format!(
            "graph(%w: {V}, %w2: {V}, %x: tensor) {{
               %f: tensor = {factors}
               %p: tensor = {line}
               %y: tensor = aten::add.Tensor(self=%x, other=%p)
               return (%y)
             }}"
        );
        let mut function = function(&text);
        for (node, by_pass) in function.graph.nodes.iter_mut().zip(early) {
            node.author = if by_pass { graph::Author::Pass } else { graph::Author::Exporter };
        }
        let parts = passes::split_const_subgraph(function);
        let nodes = |part: &Option<passes::ConstSubgraph>| {
            part.as_ref().map_or(0, |part| part.function.graph.nodes.len())
        };
        let expected = match (factors.contains("clone"), early) {
            (true, [true, true]) => (2, 0),
            (true, [true, false]) => (1, 1),
            _ => (0, 2),
        };
        assert_eq!((nodes(&parts.at_load), nodes(&parts.at_first_call)), expected, "{line} {early:?}");
    }
}

/// A weight shared by many convolutions is kept for each of them, without memory before the first
/// call.
#[test]
fn weights_are_held_for_any_number_of_convolutions() {
    let arguments = "factors=none, padding=[0, 0], stride=[1, 1], dilation=[1, 1], groups=1";
    let line = |at| {
        format!(
            "%h{at}: tensor = pt2::convolution_weight.default(self=%w, {arguments})
             %y{}: tensor = pt2::ordered_weight.default(weight=%h{at}, input=%y{at})\n",
            at + 1
        )
    };
    let lines: String = (0..100).map(line).collect();
    let weight = "tensor<float32 [1024, 1024, 1, 1] [1024, 1, 1, 1]>";
    let mut function = function(&format!("graph(%w: {weight}, %y0: tensor) {{ {lines} return (%y100) }}"));
    function.graph.nodes.iter_mut().for_each(|node| node.author = graph::Author::Pass);
    assert_eq!(passes::split_const_subgraph(function).at_load.unwrap().names.len(), 100);
}
