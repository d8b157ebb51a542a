//! Weights by name.

use crate::packages::{bytes, image, load, loaded_with, run, there};
use crate::support::Array;
use pt2::Error;
use pt2::program::schema::ScalarType;
use pt2::torch::Tensor;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;

#[test]
#[ignore = "needs packages; `make test-compiled` makes them"]
fn outputs_during_a_swap_use_one_weight_set() {
    for instances in [1, 4] {
        let model = loaded_with("conv", |options| options.native_code.instances = Some(instances)).unwrap();
        let names: Vec<_> = model.parameters().iter().map(|known| known.name.clone()).collect();
        assert!(
            names.contains(&"conv.weight".to_owned()) && names.contains(&"fc.weight".to_owned()),
            "{names:?}"
        );
        let old: Vec<_> = names.iter().map(|name| model.parameter(name).unwrap()).collect();
        let new: Vec<_> = old.iter().map(reversed).collect();
        let pairs = |tensors: &[Tensor]| -> Vec<(String, Tensor)> {
            names.iter().cloned().zip(tensors.iter().cloned()).collect()
        };
        let swap = |pairs: &[(String, Tensor)]| {
            model.swap_parameters(
                &pairs.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect::<Vec<_>>(),
            )
        };
        let (old, new) = (pairs(&old), pairs(&new));
        let answers =
            || (0..8).map(|seed| bytes(&run(&model, &[Some(image(3, seed))]).unwrap())).collect::<Vec<_>>();
        let before = answers();
        swap(&new).unwrap();
        let after = answers();
        assert!(before.iter().zip(&after).all(|(before, after)| before != after));
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let callers: Vec<_> = (0..8_usize)
                .map(|seed| {
                    let (model, before, after) = (&model, &before, &after);
                    scope.spawn(move || {
                        for _ in 0..500 {
                            let answer = bytes(&run(model, &[Some(image(3, seed as u64))]).unwrap());
                            assert!(answer == before[seed] || answer == after[seed]);
                        }
                    })
                })
                .collect();
            let swapper = scope.spawn(|| {
                let mut swaps = 0;
                while !done.load(SeqCst) {
                    swap(if swaps % 2 == 0 { &old } else { &new }).unwrap();
                    swaps += 1;
                }
                swaps
            });
            callers.into_iter().for_each(|caller| caller.join().unwrap());
            done.store(true, SeqCst);
            assert!(swapper.join().unwrap() > 1);
        });
        model.reset_parameters(None).unwrap();
        assert_eq!(answers(), before);
    }
}

/// Returns the elements in reverse: other weights of the same dtype and sizes.
fn reversed(tensor: &Tensor) -> Tensor {
    let array = Array::of(tensor);
    let bytes: Vec<u8> = array.bytes.chunks(4).rev().flatten().copied().collect();
    there(&Tensor::from_bytes(array.dtype, &array.sizes, &bytes).unwrap())
}

#[test]
#[ignore = "needs packages; `make test-compiled` makes them"]
fn mismatched_weights_change_nothing() {
    let model = load("conv", "model");
    let before = bytes(&run(&model, &[Some(image(3, 1))]).unwrap());
    let fits = reversed(&model.parameter("fc.weight").unwrap());
    let float = |sizes: &[i64]| {
        let count = sizes.iter().product::<i64>() as usize * 4;
        there(&Tensor::from_bytes(ScalarType::Float, sizes, &vec![0; count]).unwrap())
    };
    let double = there(&Tensor::from_bytes(ScalarType::Double, &[4, 8], &[0; 256]).unwrap());
    for (name, tensor) in [("fc.weight", float(&[8, 4])), ("conv.weight", float(&[])), ("fc.weight", double)]
    {
        let other = if name == "fc.weight" { "conv.weight" } else { "fc.weight" };
        let good = if other == "fc.weight" { fits.clone() } else { model.parameter(other).unwrap() };
        let refused = model.swap_parameters(&[(other, &good), (name, &tensor)]).unwrap_err();
        assert!(matches!(&refused, Error::Weight { name: blamed, .. } if blamed == name), "{refused}");
    }
    for names in [&["fc.weight", "fc.weight"][..], &["fc.weights"], &["bn.running_mean", "fc.weight"]] {
        let given: Vec<_> = names.iter().map(|name| (*name, &fits)).collect();
        assert!(matches!(model.swap_parameters(&given), Err(Error::Argument { argument: "names", .. })));
    }
    assert!(matches!(model.parameter("none"), Err(Error::Argument { argument: "name", .. })));
    assert_eq!(bytes(&run(&model, &[Some(image(3, 1))]).unwrap()), before);
    // A clone has its own weights until they are shared.
    let clone = model.try_clone().unwrap();
    clone.swap_parameters(&[("fc.weight", &fits)]).unwrap();
    let after = bytes(&run(&clone, &[Some(image(3, 1))]).unwrap());
    assert!(after != before && bytes(&run(&model, &[Some(image(3, 1))]).unwrap()) == before);
    model.share_parameters(&clone).unwrap();
    assert_eq!(bytes(&run(&model, &[Some(image(3, 1))]).unwrap()), after);
    model.reset_parameters(Some(&["fc.weight"])).unwrap();
    assert_eq!(bytes(&run(&model, &[Some(image(3, 1))]).unwrap()), before);
    assert!(load("conv", "model").share_parameters(&model).is_err());
}
