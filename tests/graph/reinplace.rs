//! Arithmetic in place of an operand after its last use.

use crate::optimizer::{becomes, optimized, stays};
use pt2_graph::passes::DeviceProfile;

/// Scores of an attention, 64 Ki elements.
const SCORES: &str = "tensor<float32 [4, 128, 128] [16384, 128, 1]>";

/// Returns a product, the operators after it, and the outputs.
fn program(nodes: &str, returned: &str) -> String {
    format!(
        "graph(%x: {SCORES}, %y: {SCORES}, %w: tensor<float32 [128, 128] [128, 1]>) {{
           %m: {SCORES} = aten::matmul.default(self=%x, other=%y)
           {nodes}
           return ({returned})
         }}"
    )
}

fn sum(arguments: &str) -> String {
    program(&format!("%s: {SCORES} = aten::{arguments}"), "%s")
}

#[test]
fn a_side_that_is_read_for_the_last_time_is_written_over() {
    for operator in ["add", "sub", "mul", "div"] {
        becomes(
            &DeviceProfile::CPU,
            &sum(&format!("{operator}.Tensor(self=%m, other=%w)")),
            &sum(&format!("{operator}_.Tensor(self=%m, other=%w)")),
        );
    }
    becomes(
        &DeviceProfile::CPU,
        &sum("sub.Tensor(self=%m, other=%w, alpha=2)"),
        &sum("sub_.Tensor(self=%m, other=%w, alpha=2)"),
    );
}

#[test]
fn either_operand_of_a_commutative_operator_is_reused() {
    becomes(
        &DeviceProfile::CPU,
        &sum("add.Tensor(self=%x, other=%m)"),
        &sum("add_.Tensor(self=%m, other=%x)"),
    );
    stays(&DeviceProfile::CPU, &sum("add.Tensor(self=%x, other=%m, alpha=2)"));
    stays(&DeviceProfile::CPU, &sum("sub.Tensor(self=%x, other=%m)"));
}

#[test]
fn one_after_the_other() {
    let chain = |add: &str, div: &str| {
        let soft = format!("%e: {SCORES} = aten::softmax.int(self=%s, dim=-1)");
        program(
            &format!(
                "%s: {SCORES} = aten::{add}.Tensor(self=%m, other=%w)
                 {soft}
                 %d: {SCORES} = aten::{div}.Tensor(self=%e, other=%w)"
            ),
            "%d",
        )
    };
    becomes(&DeviceProfile::CPU, &chain("add", "div"), &chain("add_", "div_"));
}

#[test]
fn operands_with_later_uses_are_kept() {
    let later = format!(
        "%s: {SCORES} = aten::add.Tensor(self=%m, other=%w)
         %e: {SCORES} = aten::softmax.int(self=%m, dim=-1)"
    );
    stays(&DeviceProfile::CPU, &program(&later, "%s, %e"));
    stays(
        &DeviceProfile::CPU,
        &program(&format!("%s: {SCORES} = aten::add.Tensor(self=%m, other=%w)"), "%m, %s"),
    );
    let view = format!(
        "%v: tensor<float32 [65536] [1]> = aten::reshape.default(self=%m, shape=[65536])
         %s: {SCORES} = aten::add.Tensor(self=%m, other=%w)"
    );
    stays(&DeviceProfile::CPU, &program(&view, "%v, %s"));
    stays(&DeviceProfile::CPU, &sum("add.Tensor(self=%m, other=%m)"));
    stays(&DeviceProfile::CPU, &sum("add.Tensor(self=%x, other=%w)"));
}

#[test]
fn operands_that_cannot_hold_the_result_are_kept() {
    let (one, all) = (
        "tensor<float32 [4, 1, 65536] [65536, 65536, 1]>",
        "tensor<float32 [4, 2, 65536] [131072, 65536, 1]>",
    );
    let program = |side: &str| {
        format!(
            "graph(%x: {side}, %y: {all}) {{
               %e: {side} = aten::softmax.int(self=%x, dim=-1)
               %s: {all} = aten::add.Tensor(self=%e, other=%y)
               return (%s)
             }}"
        )
    };
    stays(&DeviceProfile::CPU, &program(one));
    stays(&DeviceProfile::CPU, &program(&all.replace("float32", "float16")));
    stays(&DeviceProfile::CPU, &program(&all.replace("[131072, 65536, 1]", "[65536, 262144, 1]")));
}

#[test]
fn small_tensors_and_other_devices_are_unchanged() {
    stays(&DeviceProfile::CPU, &sum("add.Tensor(self=%m, other=%w)").replace("128", "64"));
    stays(&DeviceProfile::CUDNN, &sum("add.Tensor(self=%m, other=%w)"));
}

#[test]
fn a_side_whose_strides_are_not_recorded_is_kept() {
    let image = "tensor<float32 [4, 64, 16, 16] [16384, 256, 16, 1]>";
    let of = |node: &str| {
        format!(
            "graph(%x: tensor<float32 [4, 64, 16, 16] [16384, 1, 1024, 64]>, %z: {image}) {{
               %p: {image} = {node}
               %r: {image} = aten::sigmoid.default(self=%z)
               %s: {image} = aten::add.Tensor(self=%p, other=%r)
               return (%s, %p)
             }}"
        )
    };
    let kept = of("aten::pad.default(self=%x, pad=[0, 0, 0, 0], mode=\"reflect\")");
    let written = of("aten::sigmoid.default(self=%z)");
    stays(&DeviceProfile::CPU, &kept);
    assert!(optimized(&DeviceProfile::CPU, &written).contains("aten::add_"));
}

#[test]
fn a_side_of_an_ambiguous_format_is_kept() {
    let of = |given: &str, strides: &str| {
        let image = format!("tensor<float32 [1, 256, 256, 4] [{strides}]>");
        let text = format!(
            "graph(%x: tensor<float32 [1, 65536, 4] [{given}]>, %y: {image}) {{
               %v: {image} = aten::unflatten.int(self=%x, dim=1, sizes=[256, -1])
               %m: {image} = aten::mul.Tensor(self=%v, other=0.5)
               %s: {image} = aten::add.Tensor(self=%m, other=%y)
               return (%s)
             }}"
        );
        optimized(&DeviceProfile { pointwise: false, ..DeviceProfile::CPU }, &text)
    };
    let ambiguous = of("262144, 1, 65536", "262144, 256, 1, 65536");
    assert!(!ambiguous.contains("aten::add_"), "{ambiguous}");
    let plain = of("262144, 4, 1", "262144, 1024, 4, 1");
    assert!(plain.contains("aten::add_"), "{plain}");
}
