//! Linear layers with the activations after them.

use crate::optimizer::{becomes, stays};
use pt2_graph::passes::DeviceProfile;

const WEIGHTS: &str = "%w: tensor<float32 [8, 4] [4, 1]>, %w_b: tensor<float32 [8] [1]>";

fn program(input: &str, output: &str, activation: &str) -> String {
    format!(
        "graph(%x: {input}, {WEIGHTS}) {{
           %l: {output} = aten::linear.default(input=%x, weight=%w, bias=%w_b)
           %r: {output} = aten::{activation}
           return (%r)
         }}"
    )
}

#[test]
fn a_matrix_is_rectified_while_it_is_made() {
    let (input, output) = ("tensor<float32 [2, 4] [4, 1]>", "tensor<float32 [2, 8] [8, 1]>");
    for activation in ["relu.default(self=%l)", "relu_.default(self=%l)"] {
        becomes(
            &DeviceProfile::CUDNN,
            &program(input, output, activation),
            &format!(
                "graph(%x: {input}, {WEIGHTS}) {{
                   %weight_t: tensor<float32 [4, 8] [1, 4]> = aten::t.default(self=%w)
                   %r: {output} = pt2::addmm_relu.default(self=%w_b, mat1=%x, mat2=%weight_t)
                   return (%r)
                 }}"
            ),
        );
    }
}

#[test]
fn leading_dimensions_are_joined_and_parted_again() {
    let batch = "\"Symbol('s0')\"~2";
    let input = format!("tensor<float32 [{batch}, 3, 4] [12, 4, 1]>");
    let output = format!("tensor<float32 [{batch}, 3, 8] [24, 8, 1]>");
    let rows = "\"Mul(Integer(3), Symbol('s0'))\"~6";
    becomes(
        &DeviceProfile::CUDNN,
        &program(&input, &output, "relu.default(self=%l)"),
        &format!(
            "graph(%x: {input}, {WEIGHTS}) {{
               %weight_t: tensor<float32 [4, 8] [1, 4]> = aten::t.default(self=%w)
               %rows: tensor<float32 [{rows}, 4] [4, 1]> = aten::flatten.using_ints(self=%x, start_dim=0, end_dim=-2)
               %rectified: tensor = pt2::addmm_relu.default(self=%w_b, mat1=%rows, mat2=%weight_t)
               %r: {output} = aten::unflatten.int(self=%rectified, dim=0, sizes=[-1, 3])
               return (%r)
             }}"
        ),
    );
}

#[test]
fn other_calls_are_not_fused() {
    let (input, output) = ("tensor<float32 [2, 4] [4, 1]>", "tensor<float32 [2, 8] [8, 1]>");
    let relu = program(input, output, "relu.default(self=%l)");
    stays(&DeviceProfile::CPU, &relu);
    for text in [
        program(input, output, "gelu.default(self=%l, approximate=\"tanh\")"),
        program(input, output, "sigmoid.default(self=%l)"),
        relu.replace("return (%r)", "return (%r, %l)"),
        relu.replace("bias=%w_b", "bias=none"),
        relu.replace("float32", "float64"),
        relu.replace("%r:", "%z: tensor = aten::zero_.default(self=%x)\n %r:")
            .replace("return (%r)", "return (%r, %z)"),
        program(
            "tensor<float32 [\"Symbol('s0')\"~2, \"Symbol('s1')\"~3, 4] [12, 4, 1]>",
            "tensor<float32 [\"Symbol('s0')\"~2, \"Symbol('s1')\"~3, 8] [24, 8, 1]>",
            "relu.default(self=%l)",
        ),
    ] {
        stays(&DeviceProfile::CUDNN, &text);
    }
}
