//! Convolutions with their epilogues as single calls.

use super::optimizer::{CONV, INPUTS, becomes, optimized, stays};
use pt2_graph::passes::{DeviceProfile, FusedConvolution};

#[test]
fn a_convolution_is_fused_with_its_epilogue() {
    let before = format!(
        "graph({INPUTS}, %z: {CONV}) {{
           %c: {CONV} = aten::conv2d.default(input=%x, weight=%w, bias=%w_b, padding=[1, 1])
           %s: {CONV} = aten::add_.Tensor(self=%c, other=%z)
           %r: {CONV} = aten::relu_.default(self=%s)
           return (%r)
         }}"
    );
    becomes(
        &DeviceProfile { channels_last: None, ..DeviceProfile::CUDNN },
        &before,
        &format!(
            "graph({INPUTS}, %z: {CONV}) {{
               %r: {CONV} = pt2::cudnn_convolution.default(input=%x, weight=%w, bias=%w_b, other=%z, \
                 stride=[1, 1], padding=[1, 1], dilation=[1, 1], groups=1, relu=true, tuned=false)
               return (%r)
             }}"
        ),
    );
    // oneDNN's calls return channels-last, so outputs are restored to the exporter's format.
    becomes(
        &DeviceProfile::ONEDNN,
        &before,
        &format!(
            "graph({INPUTS}, %z: {CONV}) {{
               %convolution_weight: tensor<float32 [4, 3, 3, 3] [27, 9, 3, 1]> = pt2::convolution_weight.default(\
                 self=%w, factors=none, padding=[1, 1], stride=[1, 1], dilation=[1, 1], groups=1)
               %ordered_weight: tensor<float32 [4, 3, 3, 3] [27, 9, 3, 1]> = pt2::ordered_weight.default(\
                 weight=%convolution_weight, input=%x)
               %r: {CONV} = pt2::onednn_convolution.default(input=%x, weight=%ordered_weight, bias=%w_b, other=%z, \
                 stride=[1, 1], padding=[1, 1], dilation=[1, 1], groups=1, activation=\"relu\", scalars=[], algorithm=\"\")
               %returned: {CONV} = aten::clone.default(self=%r, memory_format=torch.contiguous_format)
               return (%returned)
             }}"
        ),
    );
}

#[test]
fn a_weight_is_multiplied_on_its_way_into_onednn_s_order() {
    let weight = "tensor<float32 [4, 3, 3, 3] [27, 9, 3, 1]>";
    let factors = "%w_f: tensor<float32 [4, 1, 1, 1] [1, 1, 1, 1]>";
    let calls_of = |inputs: &str, other: &str, returned: &str| {
        let text = format!(
            "graph({INPUTS}, {inputs}) {{
               %p: {weight} = aten::mul.Tensor(self=%w, other={other})
               %c: {CONV} = aten::conv2d.default(input=%x, weight=%p, padding=[1, 1])
               return (%c{returned})
             }}"
        );
        optimized(&DeviceProfile::ONEDNN, &text)
    };
    let taken_in = calls_of(factors, "%w_f", "");
    assert!(taken_in.contains("pt2::convolution_weight.default(self=%w, factors=%w_f,"), "{taken_in}");
    assert!(!taken_in.contains("mul.Tensor"), "{taken_in}");
    // Factors that differ from call to call, and a product with another user.
    let varies = calls_of("%f: tensor<float32 [4, 1, 1, 1] [1, 1, 1, 1]>", "%f", "");
    assert!(!varies.contains("convolution_weight"), "{varies}");
    let read = calls_of(factors, "%w_f", ", %p");
    assert!(read.contains("mul.Tensor") && !read.contains("factors=%w_f"), "{read}");
}

#[test]
fn a_convolution_is_not_moved_over_a_write_to_what_it_reads() {
    let text = |first: &str, between: &str| {
        format!(
            "graph({INPUTS}, %z: {CONV}) {{
               {first}
               %c: {CONV} = aten::conv2d.default(input=%x, weight=%w, bias=%w_b, padding=[1, 1])
               {between}
               %r: {CONV} = aten::relu.default(self=%c)
               return (%r)
             }}"
        )
    };
    let profile = DeviceProfile { channels_last: None, ..DeviceProfile::CUDNN };
    for (first, between) in [
        ("", "%d: tensor = aten::add_.Tensor(self=%x, other=1)"),
        (
            "%v: tensor = aten::select.int(self=%x, dim=0, index=0)",
            "%d: tensor = aten::mul_.Tensor(self=%v, other=2)",
        ),
        ("", "my_lib::unknown.default(x=%x) as \"u\""),
    ] {
        let made = optimized(&profile, &text(first, between));
        let places = ["relu=false", between, "aten::relu.default"].map(|part| made.find(part));
        assert!(places.is_sorted() && places.iter().all(Option::is_some), "{made}");
    }
}

#[test]
fn only_constant_weights_and_known_calls_are_fused() {
    let profile = DeviceProfile { channels_last: None, ..DeviceProfile::CUDNN };
    for (weight, rest, activation) in [
        ("%x", "padding=[1, 1]", "relu"),
        ("%w", "padding=[1, 1], groups=3", "relu"),
        ("%w", "padding=\"same\"", "relu"),
    ] {
        stays(
            &profile,
            &format!(
                "graph({INPUTS}) {{
                   %c: {CONV} = aten::conv2d.default(input=%x, weight={weight}, bias=%w_b, {rest})
                   %r: {CONV} = aten::{activation}.default(self=%c)
                   return (%r)
                 }}"
            ),
        );
    }
}

#[test]
fn cudnn_takes_convolutions_without_bias_or_activation_too() {
    let profile = DeviceProfile { channels_last: None, ..DeviceProfile::CUDNN };
    let fused = FusedConvolution { autotune: true, ..profile.convolution.unwrap() };
    becomes(
        &DeviceProfile { convolution: Some(fused), ..profile },
        &format!(
            "graph({INPUTS}) {{
               %c: {CONV} = aten::conv2d.default(input=%x, weight=%w)
               return (%c)
             }}"
        ),
        &format!(
            "graph({INPUTS}) {{
               %c: {CONV} = pt2::cudnn_convolution.default(input=%x, weight=%w, bias=none, other=none, \
                 stride=[1, 1], padding=[0, 0], dilation=[1, 1], groups=1, relu=false, tuned=true)
               return (%c)
             }}"
        ),
    );
}
