//! Fused pointwise arithmetic returns the bits and strides of libtorch's separate operators.

use crate::call::call;
use crate::random;
use pt2::exec::Input;
use pt2::torch::Tensor;

const STEPS: [&str; 4] = [
    "%a: tensor = aten::add.Tensor(self=%x, other=%y)",
    "%b: tensor = aten::mul.Tensor(self=%a, other=3)",
    "%c: tensor = aten::sub.Tensor(self=%b, other=%x)",
    "%d: tensor = aten::relu.default(self=%c)",
];

/// Larger than the part of one thread.
const LARGE: [i64; 4] = [3, 24, 37, 41];
const SMALL: [i64; 4] = [2, 3, 5, 7];

fn result(body: &str, inputs: &[Tensor; 2]) -> Tensor {
    let text = format!("graph(%x: tensor, %y: tensor) {{\n{body}\nreturn (%d)\n}}");
    call(&text, &inputs.clone().map(Input::Tensor)).unwrap().remove(0)
}

/// Returns the strides with this dimension innermost.
fn strides(sizes: &[i64; 4], innermost: usize) -> Vec<i64> {
    let mut order = vec![0, 1, 2, 3];
    order.retain(|dim| *dim != innermost);
    order.push(innermost);
    let mut strides = vec![0; 4];
    order.iter().rev().fold(1, |stride, dim| {
        strides[*dim] = stride;
        stride * sizes[*dim]
    });
    strides
}

fn numbers(sizes: &[i64; 4], innermost: usize, seed: u32) -> Tensor {
    crate::random::numbers(sizes, seed).laid_out(&strides(sizes, innermost)).unwrap()
}

fn check(inputs: [Tensor; 2]) {
    check_steps(&STEPS.join("\n"), inputs);
}

fn check_steps(steps: &str, inputs: [Tensor; 2]) {
    let inner = format!(
        "%d: tensor = higher_order::pointwise(graph \"pointwise\"(%x: tensor, %y: tensor) {{\n{steps}\nreturn (%d)\n}}, [%x, %y])"
    );
    let (expected, found) = (result(steps, &inputs), result(&inner, &inputs));
    assert_eq!(found.view().sizes, expected.view().sizes);
    assert_eq!(found.view().strides, expected.view().strides);
    assert!(found.to_bytes().unwrap() == expected.to_bytes().unwrap());
}

#[test]
fn in_the_order_of_the_inputs() {
    pt2::torch::start(pt2::torch::CudaPolicy::Never);
    for sizes in [LARGE, SMALL] {
        for innermost in [3, 1, 2] {
            check([numbers(&sizes, innermost, 1), numbers(&sizes, innermost, 2)]);
        }
    }
}

#[test]
fn mixed_memory_formats() {
    pt2::torch::start(pt2::torch::CudaPolicy::Never);
    for sizes in [LARGE, SMALL] {
        check([numbers(&sizes, 3, 3), numbers(&sizes, 1, 4)]);
        check([numbers(&sizes, 1, 5), numbers(&sizes, 3, 6)]);
    }
}

#[test]
fn small_and_empty_tensors() {
    pt2::torch::start(pt2::torch::CudaPolicy::Never);
    for sizes in [[0, 3, 2, 2], [1, 1, 1, 1], [1, 40_000, 1, 1]] {
        check([numbers(&sizes, 3, 7), numbers(&sizes, 3, 8)]);
    }
}

#[test]
fn rows_that_are_stretched() {
    pt2::torch::start(pt2::torch::CudaPolicy::Never);
    check([numbers(&LARGE, 3, 9), numbers(&[1, 24, 1, 1], 3, 10)]);
}

/// Pooling reads the stride of the only image, which does not place any element. With a number among the operands
/// libtorch keeps it.
#[test]
fn one_image_whose_stride_is_short() {
    pt2::torch::start(pt2::torch::CudaPolicy::Never);
    for strides in [[2, 1, 8, 2], [32, 1, 8, 2], [32, 16, 4, 1], [1, 16, 4, 1]] {
        let image = |seed| random::numbers(&[1, 2, 4, 4], seed).laid_out(&strides).unwrap();
        let numbers = "%a: tensor = aten::mul.Tensor(self=%x, other=0.5)
                       %d: tensor = aten::add.Tensor(self=%a, other=1)";
        check([image(1), image(2)]);
        check_steps(numbers, [image(1), image(2)]);
    }
}
