//! oneDNN layouts of a convolution's weight: those that calls compute and those that they keep.

use crate::call::{call, call_and_ask};
use crate::random::numbers;
use pt2::Error;
use pt2::exec::Input;
use pt2::torch::Tensor;
use std::collections::BTreeSet;

const ARGUMENTS: &str = "padding=[0, 0], stride=[1, 1], dilation=[1, 1], groups=1";

/// oneDNN has several layouts for these filters and chooses by the batch.
const FILTERS: [i64; 4] = [1024, 512, 1, 1];

/// Weight without calls, and its source.
struct Weight {
    made: Tensor,
    _from: Tensor,
}

fn weight(seed: u32) -> Weight {
    let from = numbers(&FILTERS, seed);
    Weight { made: made_from(&from, seed), _from: from }
}

fn made_from(weight: &Tensor, seed: u32) -> Tensor {
    let inputs = [weight.clone(), numbers(&[FILTERS[0], 1, 1, 1], seed + 1)].map(Input::Tensor);
    let text = format!(
        "graph(%w: tensor, %f: tensor) {{
           %h: tensor = pt2::convolution_weight.default(self=%w, factors=%f, {ARGUMENTS})
           return (%h)
         }}"
    );
    call(&text, &inputs).unwrap().remove(0)
}

fn image(batch: i64) -> Tensor {
    numbers(&[batch, FILTERS[1], 7, 7], batch as u32)
}

/// Result of a call, the weight's address, and true if the call kept the layout.
struct Called {
    bytes: Vec<u8>,
    address: Vec<u8>,
    kept: bool,
}

fn convolve(weight: &Tensor, batch: i64) -> Called {
    let text = format!(
        "graph(%h: tensor, %x: tensor) {{
           %w: tensor = pt2::ordered_weight.default(weight=%h, input=%x)
           %y: tensor = mkldnn::_convolution_pointwise.default(X=%x, W=%w, B=none, {ARGUMENTS}, attr=\"none\", \
             scalars=[], algorithm=\"\")
           %p: int = mkldnn::data_ptr.default(mkldnn_tensor=%w)
           return (%y, %p)
         }}"
    );
    let inputs = [weight.clone(), image(batch)].map(Input::Tensor);
    let (outputs, kept) = call_and_ask(&text, &inputs, |scope| scope.has_prepacked());
    let bytes: Vec<_> = outputs.unwrap().iter().map(|output| output.to_bytes().unwrap()).collect();
    let [bytes, address] = bytes.try_into().unwrap();
    Called { bytes, address, kept }
}

fn kept(weight: &Tensor, batches: &[i64]) -> Vec<bool> {
    batches.iter().map(|batch| convolve(weight, *batch).kept).collect()
}

#[test]
fn the_second_call_keeps_the_prepacked_weight() {
    let weight = weight(1);
    assert_eq!(kept(&weight.made, &[2, 2, 2]), [false, true, false]);
    let addresses: BTreeSet<_> = (0..3).map(|_| convolve(&weight.made, 2).address).collect();
    assert_eq!(addresses.len(), 1);
}

#[test]
fn other_input_sizes_are_prepacked_on_their_second_call() {
    let weight = weight(1);
    assert_eq!(kept(&weight.made, &[2, 3, 3, 2, 2, 1, 1, 1, 3]), {
        [false, true, false, false, true, false, true, false, false]
    });
}

#[test]
fn every_call_gives_the_same_bits() {
    let (one, other) = (weight(1), weight(1));
    for batch in [1, 2, 3, 8, 16] {
        let expected = convolve(&weight(1).made, batch).bytes;
        for _ in 0..4 {
            assert!(convolve(&one.made, batch).bytes == expected, "{batch}");
        }
    }
    // In another order of calls.
    for batch in [16, 3, 1, 2, 8, 1, 3, 16] {
        assert!(convolve(&other.made, batch).bytes == convolve(&one.made, batch).bytes, "{batch}");
    }
}

#[test]
fn prepacked_layouts_are_bounded() {
    let weight = weight(1);
    let addresses = (0..3).flat_map(|_| (1..=24).map(|batch| convolve(&weight.made, batch).address));
    let late: BTreeSet<_> = addresses.skip(48).collect();
    assert!(late.len() <= 4, "{}", late.len());
}

#[test]
fn an_unshared_weight_is_released_after_prepacking() {
    let weight = made_from(&numbers(&FILTERS, 1), 1);
    assert_eq!(kept(&weight, &[2, 2, 2, 3, 3, 3]), [false, true, false, false, false, false]);
    assert!(convolve(&weight, 3).bytes == convolve(&self::weight(1).made, 3).bytes);
}

#[test]
fn a_replacing_weight_is_prepacked_alike() {
    let (before, after) = (weight(1), weight(5));
    kept(&before.made, &[2, 2, 3]);
    after.made.copy_prepacking(&before.made).unwrap();
    assert_eq!(kept(&after.made, &[2, 2, 3, 3]), [false, false, false, true]);
    assert!(convolve(&after.made, 2).bytes == convolve(&weight(5).made, 2).bytes);
    // That weight had no second call, and other tensors are unchanged.
    let fresh = weight(5);
    fresh.made.copy_prepacking(&weight(1).made).unwrap();
    fresh.made.copy_prepacking(&image(1)).unwrap();
    image(1).copy_prepacking(&fresh.made).unwrap();
    assert_eq!(kept(&fresh.made, &[2, 2]), [false, true]);
}

#[test]
fn threads_share_a_weight() {
    let shared = weight(1);
    let expected: Vec<_> = (1..=4).map(|batch| convolve(&weight(1).made, batch).bytes).collect();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (shared, expected) = (&shared, &expected);
            scope.spawn(move || {
                for turn in 0..8 {
                    let batch = 1 + (thread + turn) % 4;
                    assert!(convolve(&shared.made, batch).bytes == expected[batch as usize - 1]);
                }
            });
        }
    });
}

#[test]
fn other_tensors_are_no_weights() {
    let text = "graph(%h: tensor, %x: tensor) {
        %w: tensor = pt2::ordered_weight.default(weight=%h, input=%x)
        return (%w)
      }";
    let refused = call(text, &[image(1), image(1)].map(Input::Tensor));
    assert!(matches!(&refused, Err(Error::Operator { node, .. }) if node == "w"), "{refused:?}");
}
