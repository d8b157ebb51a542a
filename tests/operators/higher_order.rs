//! Higher-order operators that call one operator, and those that cannot run.

use pt2::exec::{self, Input};
use pt2::graph::{self, Function, InputBinding, OutputBinding};
use pt2::plan::{self, Plan};
use pt2::program::schema::ScalarType;
use pt2::torch::{Device, Scope, Tensor};
use pt2::{Error, Result};

fn spelled(text: &str) -> Result<Function> {
    let graph = graph::parse(text).unwrap();
    let inputs = vec![InputBinding::User; graph.inputs.len()];
    let outputs = vec![OutputBinding::User; graph.outputs.len()];
    let mut function = Function { graph, inputs, outputs };
    plan::lower_higher_order(&mut function).map(|()| function)
}

fn bind(text: &str) -> Result<Plan> {
    plan::build(&spelled(text)?, Device::Cpu)
}

fn floats(values: &[f32]) -> Tensor {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    Tensor::from_bytes(ScalarType::Float, &[values.len() as i64], &bytes).unwrap()
}

fn call(plan: &Plan, inputs: &[Tensor]) -> Vec<Vec<f32>> {
    let scope = Scope::enter(Device::Cpu, std::ptr::null_mut()).unwrap();
    let inputs: Vec<Input> = inputs.iter().cloned().map(Input::Tensor).collect();
    let outputs = exec::run(plan, &scope, &mut exec::frame(plan, &[]).unwrap(), &inputs).unwrap();
    let read = |tensor: &Option<Tensor>| {
        let bytes = tensor.as_ref().unwrap().to_bytes().unwrap();
        bytes.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect()
    };
    outputs.iter().map(read).collect()
}

#[test]
fn written_operands_are_copied() {
    let forms = [
        "auto_functionalized(operator \"torch.ops.aten.add_.Tensor\", self=%x, other=%y)",
        "auto_functionalized_v2(operator \"torch.ops.aten.add_.Tensor\", other=%y, _self_base_index=0, _all_bases=[%x])",
        "auto_functionalized_v2(operator \"torch.ops.aten.add_.Tensor\", other=%y, _self_base_index=0, _self_alias=true, _all_bases=[%x])",
        "auto_functionalized_v2(operator \"torch.ops.aten.add_.Tensor\", other=%y, _self_base_index=0, _self_size=[3], _self_stride=[1], _self_storage_offset=0, _all_bases=[%x])",
        "auto_functionalized_v2(operator \"torch.ops.aten.add_.Tensor\", other=%y, _self_base_index=0, _self_slice_dim=0, _self_slice_start=0, _self_slice_end=3, _all_bases=[%x])",
    ];
    for form in forms {
        let text = format!(
            "graph(%x: tensor, %y: tensor) {{
               %r: tensor, %new: tensor = higher_order::{form}
               return (%r, %new, %x)
             }}"
        );
        let plan = bind(&text).unwrap();
        assert!(plan.effects.inputs.is_empty(), "{form}");
        let (x, y) = (floats(&[1.0, 2.0, 3.0]), floats(&[10.0, 20.0, 30.0]));
        let sum = vec![11.0, 22.0, 33.0];
        assert_eq!(call(&plan, &[x, y]), [sum.clone(), sum, vec![1.0, 2.0, 3.0]], "{form}");
    }
}

#[test]
fn a_view_is_of_the_copy() {
    let plan = bind(
        "graph(%x: tensor, %y: tensor) {
           %r: tensor, %new: tensor = higher_order::auto_functionalized_v2(operator \"torch.ops.aten.add_.Tensor\",
             other=%y, _self_base_index=0, _self_size=[1], _self_stride=[1], _self_storage_offset=2, _all_bases=[%x])
           return (%new, %x)
         }",
    )
    .unwrap();
    let outputs = call(&plan, &[floats(&[1.0, 2.0, 3.0]), floats(&[10.0])]);
    assert_eq!(outputs, [vec![1.0, 2.0, 13.0], vec![1.0, 2.0, 3.0]]);
}

#[test]
fn lists_and_bases_that_are_not_copied() {
    let plan = bind(
        "graph(%x: tensor, %y: tensor) {
           none, %a: tensor, %b: tensor = higher_order::auto_functionalized_v2(
             operator \"torch.ops.aten._foreach_add_.Scalar\", scalar=1, _self_length=2, _self_0_base_index=0,
             _self_1_base_index=1, _all_bases=[%x, %y], _only_clone_these_bases=[1])
           return (%a, %b, %y)
         }",
    )
    .unwrap();
    assert_eq!(plan.effects.inputs, [0]);
    assert_eq!(call(&plan, &[floats(&[1.0]), floats(&[5.0])]), [vec![2.0], vec![6.0], vec![5.0]]);
}

#[test]
fn tokens_order_calls_and_are_not_passed_on() {
    let plan = bind(
        "graph(%token: token, %x: tensor) {
           %t1: token, %a: tensor = higher_order::with_effects(%token, operator \"torch.ops.aten.add.Tensor\", %x, %x)
           %t2: token, none = higher_order::with_effects(%t1, operator \"torch.ops.aten._assert_async.default\", %a)
           return (%t2, %a)
         }",
    );
    assert_eq!(plan.unwrap().steps.len(), 2);
}

#[test]
fn rows_that_need_no_combining_are_copied() {
    let plan = bind(
        "graph(%x: tensor) {
           %y: tensor = higher_order::associative_scan(graph \"c\"(%a: tensor, %b: tensor) {
             %o: tensor = aten::mul.Tensor(self=%a, other=%b)
             return (%o)
           }, [%x], [])
           %z: tensor = aten::add_.Scalar(self=%y, other=1)
           return (%z, %x)
         }",
    )
    .unwrap();
    assert_eq!(call(&plan, &[floats(&[2.0])]), [vec![3.0], vec![2.0]]);
    assert_eq!(call(&plan, &[floats(&[])]), [Vec::<f32>::new(), Vec::new()]);
    assert_eq!(call(&plan, &[floats(&[2.0, 3.0, 4.0])])[0], [3.0, 7.0, 25.0]);
}

#[test]
fn other_forms_are_refused_at_load() {
    for node in [
        "with_effects(%x)",
        "with_effects(%x, 1)",
        "with_effects(%x, operator \"no such\")",
        "out_dtype(operator \"torch.ops.aten.mm.default\")",
        "out_dtype(operator \"torch.ops.aten.mm.default\", 3, %x, %x)",
        "out_dtype(operator \"torch.ops.aten.add.Tensor\", torch.int32, %x, %x)",
        "out_dtype(operator \"torch.ops.aten.mm.default\", torch.int32, %x)",
        "auto_functionalized()",
        "auto_functionalized(operator \"torch.ops.aten.add_.Tensor\", other=%x)",
        "auto_functionalized(operator \"torch.ops.higher_order.cond\", other=%x)",
        "auto_functionalized_v2(operator \"torch.ops.aten.add_.Tensor\", other=%x)",
        "auto_functionalized_v2(operator \"torch.ops.aten.add_.Tensor\", other=%x, _self_base_index=2, _all_bases=[])",
        "auto_functionalized_v2(operator \"torch.ops.aten.add_.Tensor\", other=%x, _self_base_index=0, _all_bases=[%x, %x, %x])",
        "auto_functionalized_v2(operator \"torch.ops.aten._foreach_add_.Scalar\", scalar=1, _self_length=9223372036854775807, _all_bases=[])",
        "while_loop_stack_output(graph \"c\"(%a: tensor) { return (true) }, [%x], [])",
        "associative_scan(graph \"c\"(%a: tensor) { return (%a) }, [%x], [])",
        "associative_scan(graph \"c\"() { return () }, [], [])",
    ] {
        let error = bind(&format!("graph(%x: tensor) {{ %y: tensor = higher_order::{node} return (%y) }}"));
        assert!(matches!(&error, Err(Error::Program { at, .. }) if at.contains("`y`")), "{node}: {error:?}");
    }
}

#[test]
fn missing_implementations_are_reported_with_other_missing_operators() {
    let error = bind(
        "graph(%x: tensor) {
           none, %a: tensor = higher_order::auto_functionalized_v2(operator \"torch.ops.no.such.default\",
             _x_base_index=0, _all_bases=[%x])
           %t: token, %b: tensor = higher_order::with_effects(none, operator \"torch.ops.higher_order.print\", \"x\")
           %c: tensor = higher_order::flex_attention(%x)
           return (%a, %b, %c)
         }",
    )
    .unwrap_err();
    let text = error.to_string();
    let Error::MissingOperators { operators } = error else { panic!("{text}") };
    assert_eq!(operators, ["no::such.default", "higher_order::print", "higher_order::flex_attention"]);
    assert!(text.contains("`higher_order::print` prints") && text.contains("`no` usually comes"), "{text}");
}

/// As docs/reference/higher_order.md lists them.
#[test]
fn unsupported_operators_are_refused_by_name_with_a_reason() {
    let page = include_str!("../../docs/reference/higher_order.md");
    let refused: Vec<&str> = page
        .lines()
        .filter(|line| line.contains("| refused |"))
        .filter_map(|line| line.split('`').nth(1))
        .collect();
    assert!(refused.len() > 5, "{refused:?}");
    for name in refused {
        let text = format!("graph(%x: tensor) {{ %y: tensor = higher_order::{name}(%x) return (%y) }}");
        let error = bind(&text).unwrap_err();
        let said = error.to_string();
        let expected = format!("higher_order::{name}");
        assert!(matches!(error, Error::MissingOperators { operators } if operators == [expected.clone()]));
        assert!(said.contains(&format!("; `{expected}` ")), "{said}");
    }
}

#[test]
fn a_custom_object_is_refused_by_its_class() {
    let mut function = spelled("graph(%o: object \"my::Class\", %x: tensor) { return (%x) }").unwrap();
    function.inputs[0] = InputBinding::Object("kept".into());
    let error = plan::build(&function, Device::Cpu).unwrap_err();
    assert!(matches!(&error, Error::MissingOperators { operators } if operators[0].contains("my::Class")));
    assert!(error.to_string().contains("`kept`"));
}
