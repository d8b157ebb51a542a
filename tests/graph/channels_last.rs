//! Channels-last, and the convolutions that keep their format.

use super::optimizer::{CONV, INPUTS, becomes, optimized, stays};
use pt2_graph::passes::DeviceProfile;

#[test]
fn convolutions_are_channels_last_and_outputs_keep_their_strides() {
    let profile = DeviceProfile { convolution: None, ..DeviceProfile::CUDNN };
    let flat = "tensor<float32 [2, 256] [256, 1]>";
    becomes(
        &profile,
        &format!(
            "graph({INPUTS}) {{
               %c: {CONV} = aten::conv2d.default(input=%x, weight=%w, bias=%w_b, padding=[1, 1])
               %r: {CONV} = aten::relu_.default(self=%c)
               %p: {CONV} = aten::max_pool2d.default(self=%r, kernel_size=[1, 1])
               %v: {flat} = aten::view.default(self=%p, size=[2, 256])
               %u: tensor = aten::unknown_op.default(self=%p)
               return (%v, %u, %r)
             }}"
        ),
        &format!(
            "graph({INPUTS}) {{
               %channels_last_weight: tensor<float32 [4, 3, 3, 3] [27, 9, 3, 1]> = aten::clone.default(self=%w, memory_format=torch.channels_last)
               %c: {CONV} = aten::conv2d.default(input=%x, weight=%channels_last_weight, bias=%w_b, padding=[1, 1])
               %r: {CONV} = aten::relu_.default(self=%c)
               %p: {CONV} = aten::max_pool2d.default(self=%r, kernel_size=[1, 1])
               %v: {flat} = aten::reshape.default(self=%p, shape=[2, 256])
               %old_order: tensor = pt2::contiguous.default(self=%p)
               %u: tensor = aten::unknown_op.default(self=%old_order)
               %returned: {CONV} = aten::clone.default(self=%r, memory_format=torch.contiguous_format)
               %returned_1: {flat} = aten::clone.default(self=%v, memory_format=torch.contiguous_format)
               return (%returned_1, %u, %returned)
             }}"
        ),
    );
}

#[test]
fn memory_format_is_kept_if_strides_are_observable() {
    let profile = DeviceProfile { convolution: None, ..DeviceProfile::CUDNN };
    for line in [
        "%s: tensor = aten::unknown_op.default(self=%c) %t: tensor = aten::add_.Tensor(self=%c, other=1)",
        "%s: tensor = aten::view.default(self=%c, size=[-1]) %t: tensor = aten::add_.Tensor(self=%s, other=1)",
        "%s: tensor = aten::reshape.default(self=%c, shape=[-1]) %t: tensor = aten::add_.Tensor(self=%s, other=1)",
        "%s: tensor = aten::as_strided.default(self=%c, size=[2], stride=[1]) %t: tensor = aten::resize_.default(self=%s, size=[1])",
        "my_lib::unknown.default(x=%c) as \"u\"",
    ] {
        let text = format!(
            "graph({INPUTS}) {{
               %c: {CONV} = aten::conv2d.default(input=%x, weight=%w, bias=%w_b, padding=[1, 1])
               {line}
               %n: {CONV} = aten::neg.default(self=%c)
               return (%n)
             }}"
        );
        let text = optimized(&profile, &text);
        assert!(!text.contains("channels_last"), "{text}");
    }
}

#[test]
fn patches_of_float32_are_made_as_they_were_exported() {
    let patches = |dtype: &str, stride: i64| {
        format!(
            "graph(%x: tensor<{dtype} [2, 3, 64, 64] [12288, 4096, 64, 1]>, %w: tensor<{dtype} [64, 3, 16, 16] [768, 256, 16, 1]>, \
               %w_b: tensor<{dtype} [64] [1]>) {{
               %c: tensor<{dtype} [2, 64, 4, 4] [1024, 16, 4, 1]> = aten::conv2d.default(input=%x, weight=%w, bias=%w_b, \
                 stride=[{stride}, {stride}])
               return (%c)
             }}"
        )
    };
    stays(&DeviceProfile::CUDNN, &patches("float32", 16));
    for (dtype, stride) in [("bfloat16", 16), ("float32", 15)] {
        let text = optimized(&DeviceProfile::CUDNN, &patches(dtype, stride));
        assert!(text.contains("pt2::cudnn_convolution"), "{text}");
    }
}

#[test]
fn depthwise_convolutions_of_three_dimensions_keep_their_layout() {
    let depthwise = |channels: i64| {
        let within = 8 / channels;
        format!(
            "graph(%x: tensor<float32 [2, 8, 4, 8, 8] [2048, 256, 64, 8, 1]>, \
               %w: tensor<float32 [8, {within}, 3, 3, 3] [{}, 27, 9, 3, 1]>) {{
               %c: tensor<float32 [2, 8, 4, 8, 8] [2048, 256, 64, 8, 1]> = aten::conv3d.default(input=%x, weight=%w, \
                 padding=[1, 1, 1], groups={channels})
               return (%c)
             }}",
            27 * within
        )
    };
    stays(&DeviceProfile::CUDNN, &depthwise(8));
    let text = optimized(&DeviceProfile::CUDNN, &depthwise(1));
    assert!(text.contains("channels_last_weight"), "{text}");
}

#[test]
fn convolutions_with_long_sums_keep_their_memory_format() {
    let two = |channels: i64| {
        let (row, plane) = (9 * channels, 64 * channels);
        format!(
            "graph(%x: tensor<float32 [2, 16, 8, 8] [1024, 64, 8, 1]>, %w: tensor<float32 [{channels}, 16, 3, 3] [144, 9, 3, 1]>, \
               %w_v: tensor<float32 [16, {channels}, 3, 3] [{row}, 9, 3, 1]>) {{
               %a: tensor<float32 [2, {channels}, 8, 8] [{plane}, 64, 8, 1]> = aten::conv2d.default(input=%x, weight=%w, \
                 padding=[1, 1])
               %b: tensor<float32 [2, 16, 8, 8] [1024, 64, 8, 1]> = aten::conv2d.default(input=%a, weight=%w_v, padding=[1, 1])
               return (%b)
             }}"
        )
    };
    for (channels, fused, stay) in [(455, 2, false), (456, 1, true)] {
        let text = optimized(&DeviceProfile::ONEDNN, &two(channels));
        assert_eq!(text.matches("pt2::onednn_convolution").count(), fused, "{text}");
        assert_eq!(text.contains("aten::conv2d") && text.contains("pt2::contiguous"), stay, "{text}");
    }
}

#[test]
fn group_norm_keeps_its_memory_format() {
    let text = optimized(
        &DeviceProfile::ONEDNN,
        &format!(
            "graph({INPUTS}) {{
               %c: {CONV} = aten::conv2d.default(input=%x, weight=%w, padding=[1, 1])
               %n: {CONV} = aten::group_norm.default(input=%c, num_groups=2)
               return (%n)
             }}"
        ),
    );
    assert!(text.contains("= pt2::contiguous.default(self=%c)"), "{text}");
    assert!(text.contains("aten::group_norm.default(input=%old_order"), "{text}");
}

#[test]
fn group_norm_of_one_pixel_reads_the_strides_that_it_did() {
    let image = "tensor<float32 [2, 8, 1, 1] [8, 1, 1, 1]>";
    let text = optimized(
        &DeviceProfile::ONEDNN,
        &format!(
            "graph(%x: {image}, %w: tensor<float32 [8, 8, 1, 1] [8, 1, 1, 1]>) {{
               %c: {image} = aten::conv2d.default(input=%x, weight=%w)
               %n: {image} = aten::group_norm.default(input=%c, num_groups=8)
               return (%n)
             }}"
        ),
    );
    assert!(text.contains("aten::group_norm.default(input=%old_order"), "{text}");
}

/// Returns a depthwise convolution of this filter size, followed by a pointwise one.
fn depthwise(profile: &DeviceProfile, dtype: &str, filter: usize) -> String {
    let image = format!("tensor<{dtype} [2, 64, 8, 8] [4096, 64, 8, 1]>");
    let (size, padding) = (filter * filter, filter / 2);
    optimized(
        profile,
        &format!(
            "graph(%x: {image}, %w: tensor<{dtype} [64, 1, {filter}, {filter}] [{size}, {size}, {filter}, 1]>, \
               %w_v: tensor<{dtype} [64, 64, 1, 1] [64, 1, 1, 1]>) {{
               %a: {image} = aten::conv2d.default(input=%x, weight=%w, padding=[{padding}, {padding}], groups=64)
               %b: {image} = aten::conv2d.default(input=%a, weight=%w_v)
               return (%b)
             }}"
        ),
    )
}

#[test]
fn depthwise_convolutions_never_become_slower_to_start() {
    let depthwise_calls = |text: &str| text.matches("groups=64, relu=false").count();
    for filter in [3, 5] {
        let text = depthwise(&DeviceProfile::CUDNN, "float16", filter);
        assert_eq!(
            (depthwise_calls(&text), text.matches("pt2::cudnn_convolution").count()),
            (1, 2),
            "{text}"
        );
    }
    let text = depthwise(&DeviceProfile::CUDNN, "float16", 7);
    assert!(
        text.contains("channels_last") && depthwise_calls(&text) == 0,
        "cuDNN has no such kernel: {text}"
    );
    let text = depthwise(&DeviceProfile::CUDNN, "float32", 3);
    assert!(!text.contains("channels_last") && depthwise_calls(&text) == 0, "libtorch has one: {text}");
    let stays = DeviceProfile { channels_last: None, ..DeviceProfile::CUDNN };
    assert!(depthwise(&stays, "float16", 3).contains("aten::conv2d"), "only what is channels-last");
}

const LAST: &str = "tensor<float32 [2, 4, 8, 8] [256, 1, 32, 4]>";

/// Returns a program with `%y` of a channels-last image that is recorded as contiguous.
fn misrecorded(node: &str) -> String {
    format!(
        "graph(%x: {LAST}, %w: tensor<float32 [4, 1, 1, 1] [1, 1, 1, 1]>) {{
           %p: tensor<float32 [2, 4, 8, 8] [256, 64, 8, 1]> = {node}
           %y: tensor<float32 [2, 4, 8, 8] [256, 64, 8, 1]> = aten::conv2d.default(input=%p, weight=%w, groups=4)
           return (%y)
         }}"
    )
}

#[test]
fn a_memory_format_that_is_not_recorded_is_not_restored() {
    for node in [
        "aten::pad.default(self=%x, pad=[0, 0, 0, 0], mode=\"reflect\")",
        "aten::pad.default(self=%x, pad=[0, 0, 0, 0], mode=\"replicate\")",
        "aten::reflection_pad2d.default(self=%x, padding=[0, 0, 0, 0])",
        "aten::channel_shuffle.default(self=%x, groups=2)",
        "aten::roll.default(self=%x, shifts=[1], dims=[1])",
    ] {
        stays(&DeviceProfile::ONEDNN, &misrecorded(node));
        let contiguous = misrecorded(node).replace(LAST, "tensor<float32 [2, 4, 8, 8] [256, 64, 8, 1]>");
        let text = optimized(&DeviceProfile::ONEDNN, &contiguous);
        assert!(text.contains("pt2::onednn_convolution"), "{text}");
    }
}

/// A convolution of images of `sizes`, then what reads its result `%c` and gives `%r`.
fn followed(image: &str, result: &str, nodes: &str) -> String {
    format!(
        "graph(%x: {image}, %w: tensor<float32 [4, 4, 1, 1] [4, 1, 1, 1]>, %z: {CONV}) {{
           %c: {result} = aten::conv2d.default(input=%x, weight=%w)
           {nodes}
           return (%r)
         }}"
    )
}

/// Results of kernels that read strides which the exporter does not know.
#[test]
fn an_order_that_follows_from_an_ambiguous_format_is_not_restored() {
    let (last, plain) =
        ("tensor<float32 [2, 4, 2, 2] [16, 1, 8, 4]>", "tensor<float32 [2, 4, 2, 2] [16, 4, 2, 1]>");
    let upsampled = |more: &str| {
        format!(
            "%u: tensor<float32 [2, 4, 1, 1] [4, 1, 1, 1]> = \
               aten::upsample_bilinear2d.vec(input=%c, output_size=none, align_corners=false, scale_factors=[0.5, 0.5])
             {more}"
        )
    };
    let shuffled = upsampled(
        "%s: tensor<float32 [2, 4, 1, 1] [4, 1, 1, 1]> = aten::sigmoid.default(self=%u)
         %r: tensor<float32 [2, 1, 2, 2] [4, 4, 2, 1]> = aten::pixel_shuffle.default(self=%s, upscale_factor=2)",
    );
    stays(&DeviceProfile::ONEDNN, &followed(last, last, &shuffled));
    let gated =
        upsampled("%r: tensor<float32 [2, 4, 8, 8] [256, 64, 8, 1]> = aten::mul.Tensor(self=%z, other=%u)");
    for text in [followed(plain, plain, &shuffled), followed(last, last, &gated)] {
        let text = optimized(&DeviceProfile::ONEDNN, &text);
        assert!(text.contains("pt2::onednn_convolution"), "{text}");
    }
}

/// A view of a transposed tensor has another stride for the only image than is recorded. A sum has the strides of its
/// first side, and a copy those of its sizes.
#[test]
fn one_image_beside_a_sequence_is_fused() {
    let image = "tensor<float32 [1, 4, 2, 2] [16, 4, 2, 1]>";
    let nodes = |sum: &str| {
        format!(
            "%f: tensor<float32 [1, 4, 4] [16, 4, 1]> = aten::flatten.using_ints(self=%c, start_dim=2)
             %s: tensor<float32 [1, 4, 4] [16, 4, 1]> = aten::softmax.int(self=%f, dim=1)
             %t: tensor<float32 [1, 4, 4] [16, 1, 4]> = aten::transpose.int(self=%s, dim0=1, dim1=2)
             %v: tensor<float32 [1, 4, 2, 2] [16, 1, 8, 4]> = aten::reshape.default(self=%t, shape=[1, 4, 2, 2])
             %a: {image} = aten::add.Tensor({sum})
             %r: {image} = aten::max_pool2d.default(self=%a, kernel_size=[1, 1])"
        )
    };
    let of = |sum: &str| optimized(&DeviceProfile::ONEDNN, &followed(image, image, &nodes(sum)));
    let (one, two) = (of("self=%c, other=%v"), of("self=%v, other=%c"));
    assert!(one.contains("pt2::onednn_convolution"), "{one}");
    assert!(!two.contains("pt2::onednn_convolution"), "{two}");
}
