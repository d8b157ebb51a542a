//! Batch norm, folded into the convolution before it.

use super::optimizer::{CONV, INPUTS, NORM, becomes, stays};
use pt2_graph::passes::DeviceProfile;

#[test]
fn batch_norm_goes_into_the_weights_before_it() {
    becomes(
        &DeviceProfile::PLAIN,
        &format!(
            "graph({INPUTS}) {{
               %c: {CONV} = aten::conv2d.default(input=%x, weight=%w, bias=none, padding=[1, 1])
               %n: {CONV} = aten::batch_norm.default(input=%c, {NORM})
               %r: {CONV} = aten::relu_.default(self=%n)
               return (%r)
             }}"
        ),
        &format!(
            "graph({INPUTS}) {{
               [%folded_norms: tensor, %folded_norms_1: tensor] = pt2::fold_norms.default(variances=[%w_v], means=[%w_m], \
                 weights=[%w_g], biases=[%w_b], old_biases=[], epsilon=1e-5, dtype=torch.float32)
               %folded_scale: tensor = aten::reshape.default(self=%folded_norms, shape=[-1, 1, 1, 1])
               %folded_weight: tensor<float32 [4, 3, 3, 3] [27, 9, 3, 1]> = pt2::product.default(self=%w, other=%folded_scale, memory_format=torch.preserve_format)
               %n: {CONV} = aten::conv2d.default(input=%x, weight=%folded_weight, bias=%folded_norms_1, padding=[1, 1]) as \"c\"
               %r: {CONV} = aten::relu_.default(self=%n)
               return (%r)
             }}"
        ),
    );
}

#[test]
fn the_factors_of_many_norms_are_computed_together() {
    let sizes = "tensor<float32 [2, 32, 8, 8] [2048, 64, 8, 1]>";
    let vector = "tensor<float32 [32] [1]>";
    let weight = "tensor<float32 [32, 32, 1, 1] [32, 1, 1, 1]>";
    let norm = |input: &str, at: usize| {
        format!(
            "%c{at}: {sizes} = aten::conv2d.default(input=%{input}, weight=%w{at})
             %n{at}: {sizes} = aten::batch_norm.default(input=%c{at}, weight=none, bias=%w_b{at}, running_mean=%w_m{at}, \
               running_var=%w_v{at}, training=false, momentum=0.1, eps=1e-5)"
        )
    };
    let weights =
        |at: usize| format!("%w{at}: {weight}, %w_b{at}: {vector}, %w_m{at}: {vector}, %w_v{at}: {vector}");
    let inputs = format!("%x: {sizes}, {}, {}", weights(1), weights(2));
    becomes(
        &DeviceProfile::PLAIN,
        &format!("graph({inputs}) {{ {} {} return (%n2) }}", norm("x", 1), norm("n1", 2)),
        &format!(
            "graph({inputs}) {{
               [%folded_norms: tensor, %folded_norms_1: tensor] = pt2::fold_norms.default(variances=[%w_v1, %w_v2], \
                 means=[%w_m1, %w_m2], weights=[], biases=[%w_b1, %w_b2], old_biases=[], epsilon=1e-5, dtype=torch.float32)
               [%folded_bias: tensor, %folded_bias_1: tensor] = aten::split_with_sizes.default(self=%folded_norms_1, split_sizes=[32, 32])
               %folded_scale: tensor = aten::reshape.default(self=%folded_norms, shape=[-1, 1, 1, 1])
               [%folded_scale_1: tensor, %folded_scale_2: tensor] = aten::split_with_sizes.default(self=%folded_scale, split_sizes=[32, 32])
               %folded_weight: {weight} = pt2::product.default(self=%w1, other=%folded_scale_1, memory_format=torch.preserve_format)
               %n1: {sizes} = aten::conv2d.default(input=%x, weight=%folded_weight, bias=%folded_bias) as \"c1\"
               %folded_weight_1: {weight} = pt2::product.default(self=%w2, other=%folded_scale_2, memory_format=torch.preserve_format)
               %n2: {sizes} = aten::conv2d.default(input=%n1, weight=%folded_weight_1, bias=%folded_bias_1) as \"c2\"
               return (%n2)
             }}"
        ),
    );
}

#[test]
fn batch_norm_that_cannot_be_folded_is_unchanged() {
    let conv = format!("%c: {CONV} = aten::conv2d.default(input=%x, weight=%w, bias=none, padding=[1, 1])");
    let norm = format!("%n: {CONV} = aten::batch_norm.default(input=%c, {NORM})");
    for (lines, returned) in [
        (format!("{conv} {}", norm.replace("training=false", "training=true")), "%n"),
        (format!("{conv} {norm}"), "%n, %c"),
        (format!("{conv} {norm} %d: tensor = aten::neg.default(self=%c)"), "%n, %d"),
        (format!("{conv} {norm} %d: tensor = aten::add_.Tensor(self=%w_v, other=1)"), "%n"),
        (
            format!(
                "%v: tensor = aten::view.default(self=%w_m, size=[2, 2]) {conv} {norm} my_lib::keep.default(self=%v) as \"k\""
            ),
            "%n",
        ),
        (format!("{conv} {norm}"), "%n, %w_g"),
        (format!("{} {norm}", conv.replace("weight=%w", "weight=%x")), "%n"),
    ] {
        stays(&DeviceProfile::PLAIN, &format!("graph({INPUTS}) {{ {lines} return ({returned}) }}"));
    }
}

#[test]
fn a_norm_with_parameters_computed_later_is_unchanged() {
    stays(
        &DeviceProfile::PLAIN,
        &format!(
            "graph({INPUTS}) {{
               %c: {CONV} = aten::conv2d.default(input=%x, weight=%w, padding=[1, 1])
               %v: tensor<float32 [4] [1]> = aten::abs.default(self=%w_v)
               %n: {CONV} = aten::batch_norm.default(input=%c, weight=%w_g, bias=%w_b, running_mean=%w_m, running_var=%v, \
                 training=false, momentum=0.1, eps=1e-5, cudnn_enabled=true)
               return (%n)
             }}"
        ),
    );
}
