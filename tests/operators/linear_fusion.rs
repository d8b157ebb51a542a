//! A linear layer with its activation: one fused call returns the results of two calls.

use crate::call::call;
use crate::reference::{as_tch, from_tch};
use pt2::exec::Input;
use pt2::graph::{self, Function, InputBinding, OutputBinding};
use pt2::passes::{self, DeviceProfile, Optimization};
use pt2::torch::fused_fallback;
use tch::{Device, Kind};

fn program(input: &str, output: &str, activation: &str) -> String {
    format!(
        "graph(%x: tensor<float32 {input}>, %w: tensor<float32 [5, 4] [4, 1]>, %b: tensor<float32 [5] [1]>) {{
           %l: tensor<float32 {output}> = aten::linear.default(input=%x, weight=%w, bias=%b)
           %r: tensor<float32 {output}> = aten::{activation}
           return (%r)
         }}"
    )
}

/// Returns the program after the passes for a device with such calls, which the CPU also has.
fn joined(text: &str) -> String {
    let graph = graph::parse(text).unwrap();
    let inputs = vec![InputBinding::User; graph.inputs.len()];
    let mut function = Function { graph, inputs, outputs: vec![OutputBinding::User] };
    passes::run(&mut function, Optimization::Fast, &DeviceProfile::CUDNN).unwrap();
    let text = function.graph.to_string();
    assert!(text.contains("addmm_relu"), "{text}");
    text
}

#[test]
fn the_fused_call_equals_two_calls() {
    tch::manual_seed(1);
    let random = |sizes: &[i64]| tch::Tensor::randn(sizes, (Kind::Float, Device::Cpu));
    let batch = "\"Symbol('s0')\"~2";
    let many = (format!("[{batch}, 3, 4] [12, 4, 1]"), format!("[{batch}, 3, 5] [15, 5, 1]"));
    let one = ("[7, 4] [4, 1]".to_string(), "[7, 5] [5, 1]".to_string());
    for ((input, output), sizes) in [(one, vec![7, 4]), (many.clone(), vec![2, 3, 4]), (many, vec![6, 3, 4])]
    {
        for activation in ["relu.default(self=%l)", "relu_.default(self=%l)"] {
            let text = program(&input, &output, activation);
            let tensors = [random(&sizes), random(&[5, 4]), random(&[5])];
            let inputs = tensors.map(|tensor| Input::Tensor(from_tch(&tensor)));
            let [expected, found] =
                [text.clone(), joined(&text)].map(|text| call(&text, &inputs).unwrap().remove(0));
            let expected = as_tch(&expected);
            assert_eq!(found.view().sizes, expected.size());
            assert!(as_tch(&found).allclose(&expected, 1e-5, 1e-6, false), "{sizes:?} {activation}");
            let fallen = fused_fallback::forced(|| call(&joined(&text), &inputs).unwrap().remove(0));
            assert!(
                as_tch(&fallen).allclose(&expected, 1e-6, 1e-7, false),
                "{sizes:?} {activation}, fallen back"
            );
        }
    }
}
