//! Guards, a line each, in a program with inputs that they may refer to.
#![no_main]

use libfuzzer_sys::fuzz_target;
use once_cell::sync::Lazy;
use pt2_format::program::InputView;
use pt2_format::program::Program;
use pt2_format::program::schema::ScalarType;
use serde_json::Value;

static PROGRAM: Lazy<Value> = Lazy::new(|| {
    serde_json::from_str(include_str!("../../tests/program/guards.json")).expect("a genuine program")
});

fuzz_target!(|text: &str| {
    let mut program = PROGRAM.clone();
    program["guards_code"] = text.lines().map(Value::from).collect();
    let Ok(program) = Program::parse(program.to_string().as_bytes()) else { return };
    for size in [0, 1, 6, i64::MAX] {
        let sizes = [size; 3];
        let inputs: Vec<_> = (0..program.interface.inputs.len())
            .map(|index| InputView::Tensor { dtype: ScalarType::Float, sizes: &sizes[..index % 4] })
            .collect();
        let _ = program.interface.check(&inputs);
    }
});
