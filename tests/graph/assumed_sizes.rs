//! Sizes that hold only if inputs have the sizes that the tracer assumed.

use crate::optimizer::stays;
use pt2_graph::graph;
use pt2_graph::passes::{self, DeviceProfile, Optimization};

/// Returns the graph after the fast passes for the CPU, for a program of one input with a dynamic
/// first dimension.
fn after(size: &str, nodes: &str) -> String {
    let text = format!("graph(%x: tensor<float32 [{size}, 70000] [70000, 1]>) {{ {nodes} return (%r) }}");
    let graph = graph::parse(&text).unwrap();
    let inputs = vec![graph::InputBinding::User; graph.inputs.len()];
    let outputs = vec![graph::OutputBinding::User; graph.outputs.len()];
    let mut function = graph::Function { graph, inputs, outputs };
    passes::run(&mut function, Optimization::Fast, &DeviceProfile::CPU).unwrap();
    function.graph.to_string()
}

const DYNAMIC: &str = "\"Symbol('s0')\"~4";

/// Returns a sum that would overwrite its left operand, of the recorded sizes.
fn sum(size: &str) -> String {
    format!(
        "%s: tensor<float32 [{size}, 70000] [70000, 1]> = aten::sin.default(self=%v)
         %w: tensor<float32 [{size}, 70000] [70000, 1]> = aten::cos.default(self=%v)
         %r: tensor<float32 [{size}, 70000] [70000, 1]> = aten::add.Tensor(self=%s, other=%w)"
    )
}

#[test]
fn a_slice_of_a_dynamic_dimension_is_no_fixed_size() {
    let slice = "%v: tensor<float32 [2, 70000] [70000, 1]> = aten::slice.Tensor(self=%x, end=2)\n";
    let text = after(DYNAMIC, &format!("{slice}{}", sum("2")));
    assert!(text.contains("aten::add.Tensor"), "{text}");
    assert!(!text.contains("%s: tensor<float32 [2"), "{text}");
    // A dimension that is fixed may be sliced.
    let text = after("4", &format!("{slice}{}", sum("2")));
    assert!(text.contains("aten::add_.Tensor"), "{text}");
}

#[test]
fn a_dimension_that_may_be_squeezed() {
    let squeeze =
        format!("%v: tensor<float32 [{DYNAMIC}, 70000] [70000, 1]> = aten::squeeze.dim(self=%x, dim=0)\n");
    let text = after(DYNAMIC, &format!("{squeeze}{}", sum(DYNAMIC)));
    assert!(text.contains("aten::add.Tensor"), "{text}");
    let other = squeeze.replace("dim=0", "dim=1");
    let text = after(DYNAMIC, &format!("{other}{}", sum(DYNAMIC)));
    assert!(text.contains("aten::add_.Tensor"), "{text}");
}

#[test]
fn sizes_that_follow_from_the_inputs_are_kept() {
    for node in [
        "aten::slice.Tensor(self=%x)",
        "aten::sin.default(self=%x)",
        "aten::slice.Tensor(self=%x, dim=1, start=0)",
    ] {
        let made = format!("%v: tensor<float32 [{DYNAMIC}, 70000] [70000, 1]> = {node}\n");
        let text = after(DYNAMIC, &format!("{made}{}", sum(DYNAMIC)));
        assert!(text.contains("aten::add_.Tensor"), "{text}");
    }
    let composite = DYNAMIC.replace("Symbol('s0')", "Mul(Integer(2), Symbol('s0'))");
    let made = format!("%v: tensor<float32 [{composite}, 70000] [70000, 1]> = aten::sin.default(self=%x)\n");
    let text = after(&composite, &format!("{made}{}", sum(&composite)));
    assert!(text.contains("aten::add.Tensor"), "{text}");
}

#[test]
fn programs_of_fixed_sizes_are_unchanged() {
    stays(
        &DeviceProfile::CPU,
        "graph(%x: tensor<float32 [4, 3] [3, 1]>) {
           %r: tensor<float32 [2, 3] [3, 1]> = aten::slice.Tensor(self=%x, end=2)
           return (%r)
         }",
    );
}
