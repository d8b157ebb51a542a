//! Convolutions of few channels on CUDA, as convolutions of blocks of pixels.

use crate::optimizer::{becomes, optimized};
use pt2_graph::passes::DeviceProfile;

/// A convolution of images of `size`, with a filter, a stride and padding.
fn program(dtype: &str, image: [i64; 4], filter: i64, rest: &str) -> String {
    let [_, channels, height, width] = image;
    let [pixels, row] = [height * width, width];
    let strides = [channels * pixels, pixels, row, 1];
    let weight = [64, channels, filter, filter];
    let area = filter * filter;
    format!(
        "graph(%x: tensor<{dtype} {image:?} {strides:?}>, %w: tensor<{dtype} {weight:?} {:?}>) {{
           %c: tensor<{dtype} [1, 64, 64, 64] [262144, 4096, 64, 1]> = aten::conv2d.default(input=%x, weight=%w, bias=none, {rest})
           return (%c)
         }}",
        [channels * area, area, filter, 1]
    )
}

const STEM: &str = "stride=[2, 2], padding=[3, 3]";

#[test]
fn a_stem_becomes_a_convolution_of_blocks() {
    let image = "tensor<float32 [1, 3, 128, 128] [49152, 16384, 128, 1]>";
    let weight = "tensor<float32 [64, 3, 7, 7] [147, 49, 7, 1]>";
    let result = "tensor<float32 [1, 64, 64, 64] [262144, 4096, 64, 1]>";
    becomes(
        &DeviceProfile::CUDNN,
        &program("float32", [1, 3, 128, 128], 7, STEM),
        &format!(
            "graph(%x: {image}, %w: {weight}) {{
               %channels_last_weight: {weight} = aten::clone.default(self=%w, memory_format=torch.channels_last)
               %blocks: tensor<float32 [1, 16, 67, 67] [71824, 1, 1072, 16]> = pt2::space_to_depth.default(self=%x, \
                 block=[2, 2], before=[4, 4], after=[2, 2], channels=16)
               %filters_of_blocks: tensor<float32 [64, 16, 4, 4] [256, 1, 64, 16]> = pt2::space_to_depth.default(self=%channels_last_weight, \
                 block=[2, 2], before=[1, 1], after=[0, 0], channels=16)
               %c: {result} = pt2::cudnn_convolution.default(input=%blocks, weight=%filters_of_blocks, bias=none, other=none, \
                 stride=[1, 1], padding=[0, 0], dilation=[1, 1], groups=1, relu=false, tuned=false)
               %returned: {result} = aten::clone.default(self=%c, memory_format=torch.contiguous_format)
               return (%returned)
             }}"
        ),
    );
}

#[test]
fn unprofitable_and_indivisible_convolutions_are_unchanged() {
    let blocks = |dtype, image, filter, rest| {
        optimized(&DeviceProfile::CUDNN, &program(dtype, image, filter, rest)).contains("space_to_depth")
    };
    assert!(blocks("bfloat16", [1, 3, 128, 128], 3, "stride=[2, 2], padding=[1, 1]"));
    assert!(blocks("float32", [1, 4, 128, 96], 5, "stride=[2, 2], padding=[2, 2]"));
    for (dtype, image, filter, rest) in [
        ("float64", [1, 3, 128, 128], 7, STEM),
        ("float32", [1, 8, 128, 128], 7, STEM),
        ("float32", [1, 3, 128, 128], 3, "stride=[2, 2], padding=[1, 1]"),
        ("float32", [1, 3, 127, 128], 7, STEM),
        ("float32", [1, 3, 128, 128], 7, "stride=[1, 1], padding=[3, 3]"),
        ("float32", [1, 3, 128, 128], 7, "stride=[2, 2], padding=[3, 3], dilation=[2, 2]"),
        ("float32", [1, 3, 128, 128], 3, "stride=[4, 4], padding=[1, 1]"),
        ("bfloat16", [1, 3, 128, 128], 2, "stride=[2, 2], padding=[0, 0]"),
    ] {
        assert!(!blocks(dtype, image, filter, rest), "{dtype} {image:?} {filter} {rest}");
    }
    let varying = program("float32", [1, 3, 128, 128], 7, STEM)
        .replace("[1, 3, 128, 128]", "[1, 3, \"Symbol('s0')\"~128, 128]");
    assert!(!optimized(&DeviceProfile::CUDNN, &varying).contains("space_to_depth"));
}
