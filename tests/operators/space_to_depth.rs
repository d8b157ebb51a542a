//! A strided convolution equals one of blocks of pixels.

use crate::call::call;
use crate::reference::{as_tch, from_tch};
use pt2::exec::Input;
use pt2::graph::{self, Function, InputBinding, OutputBinding};
use pt2::plan;
use tch::{Device, Kind};

struct Case {
    image: [i64; 4],
    filter: [i64; 2],
    stride: [i64; 2],
    padding: [i64; 2],
    /// Zeros around the image, and around the filter.
    image_zeros: [[i64; 2]; 2],
    filter_zeros: [[i64; 2]; 2],
}

fn doubles(sizes: &[i64]) -> tch::Tensor {
    tch::Tensor::randn(sizes, (Kind::Double, Device::Cpu))
}

fn blocks(of: &str, block: [i64; 2], [before, after]: [[i64; 2]; 2]) -> String {
    format!(
        "pt2::space_to_depth.default(self=%{of}, block={block:?}, before={before:?}, after={after:?}, channels=16)"
    )
}

fn check(case: &Case, prepare: fn(tch::Tensor) -> tch::Tensor) {
    tch::manual_seed(1);
    let channels = case.image[1];
    let image = prepare(doubles(&case.image));
    let filters = prepare(doubles(&[5, channels, case.filter[0], case.filter[1]]));
    let expected = image.conv2d(&filters, None::<&tch::Tensor>, case.stride, case.padding, [1, 1], 1);
    let text = format!(
        "graph(%x: tensor, %w: tensor) {{
           %a: tensor = {}
           %b: tensor = {}
           %c: tensor = aten::conv2d.default(input=%a, weight=%b)
           return (%c, %a)
         }}",
        blocks("x", case.stride, case.image_zeros),
        blocks("w", case.stride, case.filter_zeros),
    );
    let inputs = [image, filters].map(|tensor| Input::Tensor(from_tch(&tensor)));
    let found = call(&text, &inputs).unwrap();
    let [result, blocks] = found.as_slice() else { panic!("{} outputs", found.len()) };
    assert_eq!(result.view().sizes, expected.size());
    assert!(as_tch(result).allclose(&expected, 1e-12, 1e-12, false));
    assert_eq!(blocks.view().strides[1], 1, "channels lie innermost");
}

#[test]
fn the_sums_are_those_of_the_strided_convolution() {
    let stem = Case {
        image: [3, 3, 16, 12],
        filter: [7, 7],
        stride: [2, 2],
        padding: [3, 3],
        image_zeros: [[4, 4], [2, 2]],
        filter_zeros: [[1, 1], [0, 0]],
    };
    let uneven = Case {
        image: [1, 2, 9, 8],
        filter: [4, 3],
        stride: [3, 2],
        padding: [3, 1],
        image_zeros: [[3, 2], [3, 0]],
        filter_zeros: [[0, 1], [2, 0]],
    };
    // Filters are padded by less than a block, and so are images here.
    let padded = Case {
        image: [2, 4, 7, 8],
        filter: [2, 2],
        stride: [2, 2],
        padding: [1, 0],
        image_zeros: [[1, 0], [0, 0]],
        filter_zeros: [[0, 0], [0, 0]],
    };
    for case in [stem, uneven, padded] {
        check(&case, |tensor| tensor);
        check(&case, |tensor| tensor.transpose(2, 3).contiguous().transpose(2, 3));
    }
}

#[test]
fn it_may_be_recorded_with_the_convolution_that_follows() {
    let graph = graph::parse(
        "graph(%x: tensor, %w: tensor) {
           %a: tensor = pt2::space_to_depth.default(self=%x, block=[2, 2], before=[4, 4], after=[2, 2], channels=16)
           %c: tensor = pt2::cudnn_convolution.default(input=%a, weight=%w, bias=none, other=none, stride=[1, 1], \
             padding=[0, 0], dilation=[1, 1], groups=1, relu=false, tuned=false)
           return (%c)
         }",
    )
    .unwrap();
    let inputs = vec![InputBinding::User; 2];
    let function = Function { graph, inputs, outputs: vec![OutputBinding::User] };
    assert_eq!(plan::build(&function, pt2::torch::Device::Cpu).unwrap().capture_refusal, None);
}

#[test]
fn what_does_not_fit_is_refused() {
    let image = || Input::Tensor(from_tch(&doubles(&[1, 3, 8, 8])));
    for (arguments, reason) in [
        ("block=[2, 2], before=[1, 0], after=[0, 0], channels=16", "do not divide"),
        ("block=[4, 2], before=[0, 0], after=[0, 0], channels=16", "do not hold"),
        ("block=[0, 2], before=[0, 0], after=[0, 0], channels=16", "blocks of"),
        ("block=[2], before=[0, 0], after=[0, 0], channels=16", "height and width"),
    ] {
        let text = format!(
            "graph(%x: tensor) {{ %a: tensor = pt2::space_to_depth.default(self=%x, {arguments}) return (%a) }}"
        );
        let error = call(&text, &[image()]).unwrap_err().to_string();
        assert!(error.contains(reason), "{arguments}: {error}");
    }
}
