//! Pointwise fusion.

use super::optimizer::{becomes, stays};
use pt2_graph::passes::DeviceProfile;

const VECTOR: &str = "tensor<float32 [8] [1]>";

#[test]
fn arithmetic_on_elements_is_joined() {
    becomes(
        &DeviceProfile::CPU,
        &format!(
            "graph(%x: {VECTOR}, %y: {VECTOR}, %z: tensor<float32 [1] [1]>) {{
               %a: {VECTOR} = aten::add.Tensor(self=%x, other=%y)
               %b: {VECTOR} = aten::mul_.Tensor(self=%a, other=2)
               %c: {VECTOR} = aten::sin.default(self=%y)
               %d: {VECTOR} = aten::div.Tensor(self=%c, other=%b)
               %e: {VECTOR} = aten::mul.Tensor(self=%d, other=%z)
               %f: {VECTOR} = aten::sub.Tensor(self=%e, other=%x)
               return (%f)
             }}"
        ),
        &format!(
            "graph(%x: {VECTOR}, %y: {VECTOR}, %z: tensor<float32 [1] [1]>) {{
               %c: {VECTOR} = aten::sin.default(self=%y)
               %d: {VECTOR} = higher_order::pointwise(graph \"pointwise\"(%x: {VECTOR}, %y: {VECTOR}, %c: {VECTOR}) {{
                 %a: {VECTOR} = aten::add.Tensor(self=%x, other=%y)
                 %b: {VECTOR} = aten::mul.Tensor(self=%a, other=2)
                 %d: {VECTOR} = aten::div.Tensor(self=%c, other=%b)
                 return (%d)
               }}, [%x, %y, %c])
               %e: {VECTOR} = aten::mul.Tensor(self=%d, other=%z)
               %f: {VECTOR} = aten::sub.Tensor(self=%e, other=%x)
               return (%f)
             }}"
        ),
    );
}

#[test]
fn arithmetic_that_others_see_is_not_joined() {
    for (lines, returned) in [
        (format!("%a: {VECTOR} = aten::add.Tensor(self=%x, other=1) %b: {VECTOR} = aten::neg.default(self=%a)"), "%a, %b"),
        (format!("%a: {VECTOR} = aten::add_.Tensor(self=%x, other=1) %b: {VECTOR} = aten::neg.default(self=%a)"), "%b"),
        (format!("%a: {VECTOR} = aten::add.Tensor(self=%x, other=1, alpha=2) %b: {VECTOR} = aten::neg.default(self=%a)"), "%b"),
        (format!("%a: {VECTOR} = aten::add.Tensor(self=%x, other=1) %w: tensor = aten::add_.Tensor(self=%x, other=1) %b: {VECTOR} = aten::neg.default(self=%a)"), "%b"),
        (format!("%a: {VECTOR} = aten::add.Tensor(self=%x, other=1) %v: tensor = aten::view.default(self=%a, size=[8]) %b: {VECTOR} = aten::neg.default(self=%a)"), "%b, %v"),
        ("%a: tensor<float64 [8] [1]> = aten::add.Tensor(self=%x, other=1) %b: tensor<float64 [8] [1]> = aten::neg.default(self=%a)".to_string(), "%b"),
    ] {
        stays(&DeviceProfile::CPU, &format!("graph(%x: {VECTOR}) {{ {lines} return ({returned}) }}"));
    }
}
