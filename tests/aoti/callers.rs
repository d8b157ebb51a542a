//! Many concurrent callers: each call ends.

use crate::packages::{bytes, image, load, loaded_with, run};
use pt2::program::schema::ScalarType;
use pt2::torch::Tensor;
use std::sync::Barrier;
use std::thread;

#[test]
#[ignore = "needs packages; `make test-compiled` makes them"]
fn fifty_concurrent_callers_succeed_beside_failing_calls() {
    for instances in [None, Some(1), Some(4)] {
        let model = loaded_with("conv", |options| options.native_code.instances = instances).unwrap();
        let expected: Vec<_> = (0..8).map(load_once).collect();
        let start = Barrier::new(50);
        let wrong =
            Tensor::from_bytes(ScalarType::Float, &[3, 4, 16, 16], &[0; 3 * 4 * 16 * 16 * 4]).unwrap();
        thread::scope(|scope| {
            for caller in 0..50_u64 {
                let (model, expected, start, wrong) = (&model, &expected, &start, &wrong);
                scope.spawn(move || {
                    start.wait();
                    for call in 0..20 {
                        let seed = (caller + call) % 8;
                        if (caller + call) % 4 == 0 {
                            assert!(run(model, &[Some(wrong.clone())]).is_err());
                        }
                        let outputs = run(model, &[Some(image(3, seed))]).unwrap();
                        assert_eq!(bytes(&outputs), expected[seed as usize]);
                    }
                });
            }
        });
    }
}

fn load_once(seed: u64) -> Vec<Option<Vec<u8>>> {
    bytes(&run(&load("conv", "model"), &[Some(image(3, seed))]).unwrap())
}

#[test]
#[ignore = "needs packages; `make test-compiled` makes them"]
fn first_runs_of_eight_threads_do_not_hang() {
    for _ in 0..30 {
        let model = loaded_with("conv", |options| options.native_code.instances = Some(2)).unwrap();
        let start = Barrier::new(8);
        thread::scope(|scope| {
            for seed in 0..8 {
                let (model, start) = (&model, &start);
                scope.spawn(move || {
                    start.wait();
                    run(model, &[Some(image(2, seed))]).unwrap();
                });
            }
        });
    }
}
