//! Common subexpression elimination and dead code.

use super::optimizer::{becomes, stays};
use pt2_graph::passes::DeviceProfile;

#[test]
fn the_same_is_computed_once() {
    becomes(
        &DeviceProfile::PLAIN,
        "graph(%x: tensor, %y: tensor) {
           %a: tensor = aten::mul.Tensor(self=%x, other=%y)
           %b: tensor = aten::mul.Tensor(self=%x, other=%y)
           %c: tensor = aten::exp.default(self=%a)
           %d: tensor = aten::exp.default(self=%b)
           %e: tensor = aten::mul.Tensor(self=%x, other=2)
           %f: tensor = aten::mul.Tensor(self=%x, other=2.0)
           %s: tensor = aten::cat.default(tensors=[%c, %d, %e, %f])
           return (%s)
         }",
        "graph(%x: tensor, %y: tensor) {
           %a: tensor = aten::mul.Tensor(self=%x, other=%y)
           %c: tensor = aten::exp.default(self=%a)
           %e: tensor = aten::mul.Tensor(self=%x, other=2)
           %f: tensor = aten::mul.Tensor(self=%x, other=2.0)
           %s: tensor = aten::cat.default(tensors=[%c, %c, %e, %f])
           return (%s)
         }",
    );
}

#[test]
fn distinguishable_nodes_are_not_merged() {
    for (lines, returned) in [
        ("%a: tensor = aten::neg.default(self=%x) %b: tensor = aten::neg.default(self=%x)", "%a, %b"),
        (
            "%a: tensor = aten::rand_like.default(self=%x) %b: tensor = aten::rand_like.default(self=%x) %c: tensor = aten::sub.Tensor(self=%a, other=%b)",
            "%c",
        ),
        (
            "%a: tensor = aten::neg.default(self=%x) %u: tensor = aten::add_.Tensor(self=%x, other=1) %b: tensor = aten::neg.default(self=%x) %c: tensor = aten::sub.Tensor(self=%a, other=%b)",
            "%c",
        ),
        (
            "%a: tensor = aten::neg.default(self=%x) %b: tensor = aten::neg.default(self=%x) %u: tensor = aten::add_.Tensor(self=%a, other=1) %c: tensor = aten::sub.Tensor(self=%b, other=%u)",
            "%c",
        ),
    ] {
        stays(&DeviceProfile::PLAIN, &format!("graph(%x: tensor) {{ {lines} return ({returned}) }}"));
    }
}

#[test]
fn dropout_in_inference_is_taken_out() {
    becomes(
        &DeviceProfile::PLAIN,
        "graph(%x: tensor) {
           %a: tensor = aten::dropout.default(input=%x, p=0.5, train=false)
           %b: tensor = aten::dropout_.default(self=%a, p=0.5, train=false)
           %c: tensor = aten::dropout.default(input=%b, p=0.5, train=true)
           %d: tensor = aten::neg.default(self=%b)
           return (%c, %d, %b)
         }",
        "graph(%x: tensor) {
           %c: tensor = aten::dropout.default(input=%x, p=0.5, train=true)
           %d: tensor = aten::neg.default(self=%x)
           return (%c, %d, %x)
         }",
    );
}
