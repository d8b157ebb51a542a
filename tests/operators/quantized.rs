//! Arguments that the operators of quantized_decomposed reject, like PyTorch's own assertions.

use pt2::exec::{self, Input};
use pt2::graph::{self, Function, InputBinding, OutputBinding};
use pt2::plan::{self, Plan};
use pt2::torch::{Device, Scope, Tensor};
use pt2::{Error, Result};

fn bind(call: &str) -> Result<Plan> {
    let text = format!(
        "graph(%x: tensor) {{
           %v: tensor = aten::view.default(self=%x, size=[1, 1])
           %s: tensor = aten::view.default(self=%x, size=[1])
           %z: tensor = aten::zeros_like.default(self=%s)
           %nan: tensor = aten::div.Tensor(self=%z, other=%z)
           %bad: tensor = aten::expand.default(self=%nan, size=[1, 2])
           %q: tensor = quantized_decomposed::{call}
           return (%q)
         }}"
    );
    let graph = graph::parse(&text).unwrap();
    let function = Function { graph, inputs: vec![InputBinding::User], outputs: vec![OutputBinding::User] };
    plan::build(&function, Device::Cpu)
}

fn call(plan: &Plan) -> Result<Vec<Option<Tensor>>> {
    let scope = Scope::enter(Device::Cpu, std::ptr::null_mut()).unwrap();
    let half =
        Tensor::from_bytes(pt2::program::schema::ScalarType::Float, &[], &0.5f32.to_le_bytes()).unwrap();
    exec::run(plan, &scope, &mut exec::frame(plan, &[]).unwrap(), &[Input::Tensor(half)])
}

#[test]
fn failed_assertions_of_pytorch_name_the_node() {
    for (refused, reason) in [
        (
            "quantize_per_tensor.default(input=%v, scale=0.5, zero_point=0, quant_min=-1, quant_max=9, dtype=torch.uint8)",
            "quant_min is -1",
        ),
        (
            "quantize_per_tensor.default(input=%v, scale=0.5, zero_point=0, quant_min=0, quant_max=300, dtype=torch.uint8)",
            "quant_max is 300",
        ),
        (
            "quantize_per_tensor.default(input=%v, scale=0.5, zero_point=0, quant_min=0, quant_max=9, dtype=torch.int64)",
            "no values are quantised",
        ),
        (
            "quantize_per_tensor.default(input=%v, scale=0.0, zero_point=0, quant_min=0, quant_max=9, dtype=torch.uint8)",
            "the scale is zero",
        ),
        (
            "quantize_per_tensor.tensor(input=%v, scale=%bad, zero_point=%z, quant_min=0, quant_max=9, dtype=torch.uint8)",
            "scale has 2 elements",
        ),
        (
            "dequantize_per_tensor.default(input=%v, scale=0.5, zero_point=0, quant_min=0, quant_max=9, dtype=torch.uint8)",
            "not Float",
        ),
        (
            "quantize_per_channel.default(input=%v, scales=%s, zero_points=%z, axis=2, quant_min=0, quant_max=9, dtype=torch.uint8)",
            "axis 2",
        ),
        (
            "fake_quant_per_channel.default(input=%v, scales=%s, zero_points=%z, axis=2, quant_min=0, quant_max=9)",
            "axis 2",
        ),
        (
            "quantize_per_token.default(input=%bad, scales=%bad, zero_points=%z, quant_min=0, quant_max=9, dtype=torch.uint8)",
            "2 scales",
        ),
        (
            "quantize_per_channel_group.default(input=%bad, scales=%v, zero_points=%v, quant_min=0, quant_max=9, dtype=torch.uint8, group_size=2)",
            "NaN",
        ),
        (
            "quantize_per_channel_group.default(input=%bad, scales=%bad, zero_points=%v, quant_min=0, quant_max=9, dtype=torch.uint8, group_size=3)",
            "groups of 3",
        ),
    ] {
        let error = call(&bind(refused).unwrap()).unwrap_err();
        let Error::Operator { node, reason: said, .. } = &error else { panic!("{error}") };
        assert!(node == "q" && said.contains(reason), "{error}");
    }
}

#[test]
fn arguments_that_the_schema_does_not_have_are_refused_at_load() {
    for refused in [
        "quantize_per_tensor.default(input=%v, scale=0.5, dtype=torch.uint8)",
        "convert_element_type.no_fuse(input=%v, dtype=torch.float32, more=1)",
        "quantize_per_tensor.default(input=%v, scale=\"a\", zero_point=0, quant_min=0, quant_max=9, dtype=torch.uint8)",
    ] {
        let error = bind(refused).unwrap_err();
        assert!(matches!(&error, Error::Program { at, .. } if at.contains("`q`")), "{error}");
    }
    let error = bind("quantize_per_nothing.default(input=%v)").unwrap_err();
    assert!(
        matches!(error, Error::MissingOperators { operators } if operators == ["quantized_decomposed::quantize_per_nothing.default"])
    );
}
