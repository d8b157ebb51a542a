//! State: clones, resets and threads do not see each other's writes.

use crate::support::{Array, repository};
use pt2::Error;
use pt2::graph::{self, Function, InputBinding, OutputBinding};
use pt2::model::{LoadOptions, Model, RunOptions};
use pt2::torch::{Device, Tensor};

const STATEFUL: [&str; 6] =
    ["cache", "core_cache", "aliases", "mutation", "train_buffers", "mini_resnet_train"];

fn load(case: &str) -> Model {
    Model::load(&repository(&format!("tests/archives/2.11.0/{case}.pt2")), &LoadOptions::default()).unwrap()
}

/// Inputs that depend on the session and the step.
fn inputs(case: &str, session: i64, step: i64) -> Vec<Option<Tensor>> {
    let floats = |sizes: &[i64]| {
        let count: i64 = sizes.iter().product();
        let value = |place: i64| ((place * 7 + session * 5 + step * 3) % 11) as f32 / 4.0 - 1.0;
        let bytes: Vec<u8> = (0..count).flat_map(|place| value(place).to_le_bytes()).collect();
        Some(Tensor::from_bytes(pt2::program::schema::ScalarType::Float, sizes, &bytes).unwrap())
    };
    let int = |value: i64| {
        let bytes = value.to_le_bytes();
        Some(Tensor::from_bytes(pt2::program::schema::ScalarType::Long, &[1], &bytes).unwrap())
    };
    match case {
        "cache" | "core_cache" => vec![int((session * 3 + step * 5) % 16), int(step)],
        "aliases" => vec![floats(&[3])],
        "mutation" => vec![floats(&[4, 3])],
        "train_buffers" => vec![floats(&[4, 4, 3, 3])],
        "mini_resnet_train" => vec![floats(&[4, 3, 32, 32])],
        _ => panic!("{case}"),
    }
}

fn step(model: &Model, case: &str, session: i64, step: i64) -> Vec<Vec<u8>> {
    let outputs = model.run(&inputs(case, session, step), &RunOptions::default()).unwrap();
    outputs.iter().flatten().map(|output| Array::of(output).bytes).collect()
}

/// Returns the outputs of a session that runs alone on its model.
fn alone(case: &str, session: i64, steps: i64) -> Vec<Vec<Vec<u8>>> {
    let model = load(case);
    (0..steps).map(|at| step(&model, case, session, at)).collect()
}

#[test]
fn clones_go_their_own_ways() {
    for case in STATEFUL {
        let first = load(case);
        let second = first.try_clone().unwrap();
        let third = second.try_clone().unwrap();
        let expected: Vec<_> = (0..3).map(|session| alone(case, session, 4)).collect();
        assert_ne!(expected[0], expected[1], "{case}");
        for at in 0..4 {
            for (session, model) in [&first, &second, &third].into_iter().enumerate() {
                let found = step(model, case, session as i64, at);
                assert_eq!(found, expected[session][at as usize], "{case}, session {session}, step {at}");
            }
        }
    }
}

#[test]
fn a_clone_copies_current_state_and_outlives_its_original() {
    for case in STATEFUL {
        let expected = alone(case, 0, 6);
        let original = load(case);
        step(&original, case, 0, 0);
        step(&original, case, 0, 1);
        let clone = original.try_clone().unwrap();
        step(&original, case, 1, 2);
        drop(original);
        assert_eq!(step(&clone, case, 0, 2), expected[2], "{case}");
        let second = clone.try_clone().unwrap();
        drop(clone);
        assert_eq!(step(&second, case, 0, 3), expected[3], "{case}");
    }
}

#[test]
fn a_reset_model_is_as_it_was_loaded() {
    for case in STATEFUL {
        let expected = alone(case, 0, 3);
        let model = load(case);
        let other = model.try_clone().unwrap();
        step(&model, case, 1, 0);
        step(&other, case, 0, 0);
        for _ in 0..2 {
            model.reset_state(&RunOptions::default()).unwrap();
            let found: Vec<_> = (0..3).map(|at| step(&model, case, 0, at)).collect();
            assert_eq!(found, expected, "{case}");
        }
        assert_eq!(step(&other, case, 0, 1), expected[1], "{case}: a clone was reset too");
        let clone = model.try_clone().unwrap();
        clone.reset_state(&RunOptions::default()).unwrap();
        assert_eq!(step(&clone, case, 0, 0), expected[0], "{case}: a clone resets to the archive's content");
    }
}

#[test]
fn shared_storage_is_shared_in_a_clone() {
    let original = load("aliases");
    step(&original, "aliases", 0, 0);
    let clone = original.try_clone().unwrap();
    for model in [&original, &clone] {
        let outputs = model.run(&inputs("aliases", 0, 1), &RunOptions::default()).unwrap();
        let [whole, turned, rows] = [0, 1, 2].map(|at| Array::of(outputs[at].as_ref().unwrap()).floats());
        assert_eq!(whole[6..], rows, "the rows of the whole buffer");
        let transposed: Vec<f64> = (0..12).map(|at| whole[at % 4 * 3 + at / 4]).collect();
        assert_eq!(turned, transposed);
    }
    let address = |model: &Model| {
        let outputs = model.run(&inputs("aliases", 0, 1), &RunOptions::default()).unwrap();
        outputs[2].as_ref().unwrap().view().data.addr()
    };
    assert_ne!(address(&original), address(&clone));
}

#[test]
fn buffers_without_writes_are_shared() {
    let path = repository("tests/archives/2.11.0/returns.pt2");
    let model = Model::load(&path, &LoadOptions::default()).unwrap();
    let clone = model.try_clone().unwrap();
    let weight = |model: &Model| {
        let input = Tensor::from_bytes(pt2::program::schema::ScalarType::Float, &[4, 3], &[0; 48]).unwrap();
        let inputs = [Some(input), None, None, None, None];
        let outputs = model.run(&inputs, &RunOptions::default()).unwrap();
        outputs[0].as_ref().unwrap().view().data.addr()
    };
    assert_eq!(weight(&model), weight(&clone));
    model.reset_state(&RunOptions::default()).unwrap();
}

#[test]
fn clones_run_on_threads_of_their_own() {
    const SESSIONS: i64 = 8;
    for case in ["cache", "aliases", "train_buffers"] {
        let expected: Vec<_> = (0..SESSIONS).map(|session| alone(case, session, 12)).collect();
        let original = load(case);
        let clones: Vec<Model> = (0..SESSIONS).map(|_| original.try_clone().unwrap()).collect();
        drop(original);
        std::thread::scope(|scope| {
            for (session, (model, expected)) in clones.iter().zip(&expected).enumerate() {
                scope.spawn(move || {
                    for (at, expected) in expected.iter().enumerate() {
                        assert_eq!(step(model, case, session as i64, at as i64), *expected, "{case}");
                    }
                });
            }
        });
    }
}

#[test]
fn warming_changes_neither_state_nor_inputs() {
    for case in STATEFUL {
        let expected = alone(case, 0, 3);
        let model = load(case);
        for at in 0..3 {
            let given = inputs(case, 1, at);
            let before: Vec<Vec<u8>> = given.iter().flatten().map(|input| Array::of(input).bytes).collect();
            model.warm(&given, &RunOptions::default()).unwrap();
            let after: Vec<Vec<u8>> = given.iter().flatten().map(|input| Array::of(input).bytes).collect();
            assert_eq!(before, after, "{case}");
            assert_eq!(step(&model, case, 0, at), expected[at as usize], "{case}");
        }
    }
}

#[test]
fn warming_refuses_the_inputs_that_a_call_refuses() {
    let model = load("mutation");
    let wrong = Tensor::from_bytes(pt2::program::schema::ScalarType::Float, &[4, 5], &[0; 80]).unwrap();
    let refused = model.warm(&[Some(wrong)], &RunOptions::default());
    assert!(matches!(refused, Err(Error::Input { .. })), "{refused:?}");
    let refused = model.warm(&[], &RunOptions::default());
    assert!(matches!(refused, Err(Error::InputCount { .. })), "{refused:?}");
}

/// Programs that draw random numbers have no warm-up run.
#[test]
fn random_operators_are_found_in_subgraphs() {
    let random = |text: &str| {
        let graph = graph::parse(text).unwrap();
        let (inputs, outputs) =
            (vec![InputBinding::User; graph.inputs.len()], vec![OutputBinding::User; graph.outputs.len()]);
        pt2::plan::build(&Function { graph, inputs, outputs }, Device::Cpu).unwrap().random
    };
    let plain = "graph(%x: tensor) {
        %y: tensor = aten::dropout.default(input=%x, p=0.5, train=false)
        return (%y)
    }";
    let drawn = plain.replace("train=false", "train=true");
    let inside = "graph(%p: tensor, %x: tensor) {
        %y: tensor = higher_order::cond(@=%p, graph \"t\"(%a: tensor) {
            %b: tensor = aten::bernoulli.default(self=%a) as \"coin\"
            return (%b)
        }, graph \"f\"(%c: tensor) {
            %d: tensor = aten::neg.default(self=%c)
            return (%d)
        }, [%x])
        return (%y)
    }";
    assert_eq!(random(plain), None);
    assert!(random(&drawn).unwrap().contains("aten::dropout.default"));
    assert!(random(inside).unwrap().contains("`coin`"));
}
