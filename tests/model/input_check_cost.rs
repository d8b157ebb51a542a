//! Cost of the input checks in a call. Prints figures and asserts nothing.

use crate::support::{Calls, repository};
use pt2::model::{LoadOptions, Model, RunOptions};
use pt2::program::InputView;
use pt2::torch::{Tensor, dtype_from_torch};
use std::hint::black_box;
use std::time::Instant;

const REPEATS: u32 = 1_000_000;

fn views(tensors: &[Option<Tensor>]) -> Vec<InputView<'_>> {
    tensors.iter().map(|tensor| tensor.as_ref().map_or(InputView::None, described)).collect()
}

fn described(tensor: &Tensor) -> InputView<'_> {
    let view = tensor.view();
    InputView::Tensor { dtype: dtype_from_torch(view.dtype).unwrap(), sizes: view.sizes }
}

fn nanoseconds(repeats: u32, mut body: impl FnMut()) -> f64 {
    for _ in 0..repeats / 10 {
        body();
    }
    let start = Instant::now();
    for _ in 0..repeats {
        body();
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(repeats)
}

#[test]
#[ignore = "prints what the checks of inputs cost a call"]
fn cost() {
    for case in ["mini_resnet", "tree", "mutation"] {
        let path = repository(&format!("tests/archives/2.11.0/{case}.pt2"));
        let model = Model::load(&path, &LoadOptions::default()).unwrap();
        let stored = Calls::beside(&path).inputs(0, model.interface().inputs.len());
        let inputs: Vec<_> = stored.iter().map(|input| input.as_ref().map(|array| array.tensor())).collect();
        let checks = nanoseconds(REPEATS, || {
            black_box(model.interface().check(&views(black_box(&inputs))).unwrap());
        });
        let run = nanoseconds(1000, || {
            black_box(model.run(black_box(&inputs), &RunOptions::default()).unwrap());
        });
        println!("{case}: {} inputs checked in {checks:.0} ns of a run of {run:.0} ns", inputs.len());
    }
}
