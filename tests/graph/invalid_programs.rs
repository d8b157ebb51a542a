//! Programs that contradict themselves: each error names the node or entry and the value.

use crate::sample_programs::program;
use pt2_format::program::schema::*;
use pt2_graph::graph::{self, InputBinding, Operand, OutputBinding, ValueKind};

fn tree() -> GraphModule {
    program("2.11.0/tree")
}

#[track_caller]
fn refused(change: impl FnOnce(&mut GraphModule), named: &[&str]) {
    let mut module = tree();
    change(&mut module);
    let message = graph::import(&module).expect_err("it was built").to_string();
    for name in named {
        assert!(message.contains(name), "{message} lacks {name}");
    }
}

fn tensor(name: &str) -> Argument {
    Argument::Tensor(TensorArgument { name: name.into() })
}

fn int(name: &str) -> Argument {
    Argument::SymInt(SymIntArgument::Name(name.into()))
}

/// The first node whose target ends like this.
fn node<'a>(module: &'a mut GraphModule, target: &str) -> &'a mut Node {
    module.graph.nodes.iter_mut().find(|node| node.target.ends_with(target)).unwrap()
}

#[test]
fn names_that_dangle() {
    refused(
        |module| node(module, "mul.Tensor").inputs[0].arg = tensor("ghost"),
        &["node `mul`", "argument `self`", "`ghost`"],
    );
    refused(
        |module| node(module, "mul.Tensor").inputs[0].arg = tensor("add"),
        &["node `mul`", "`add` is not defined before"],
    );
    refused(
        |module| node(module, "mul.Tensor").inputs[0].arg = tensor("mul"),
        &["`mul` is not defined before"],
    );
    refused(|module| module.graph.outputs[0] = tensor("ghost"), &["output 0", "`ghost`"]);
    refused(|module| module.graph.nodes.reverse(), &["is not defined before"]);
    refused(|module| drop(module.graph.inputs.remove(0)), &["`p_fc_weight`"]);
    refused(|module| module.graph.nodes.clear(), &["output 0", "`add`"]);
    for list in [
        Argument::Tensors(vec![TensorArgument { name: "ghost".into() }]),
        Argument::NestedTensors(vec![vec![TensorArgument { name: "ghost".into() }]]),
        Argument::OptionalTensors(vec![OptionalTensorArgument::Tensor(TensorArgument {
            name: "ghost".into(),
        })]),
        Argument::OptionalTensor(OptionalTensorArgument::Tensor(TensorArgument { name: "ghost".into() })),
        Argument::SymInts(vec![SymIntArgument::Name("ghost".into())]),
        Argument::SymFloats(vec![SymFloatArgument::Name("ghost".into())]),
        Argument::SymBools(vec![SymBoolArgument::Name("ghost".into())]),
        Argument::SymFloat(SymFloatArgument::Name("ghost".into())),
        Argument::SymBool(SymBoolArgument::Name("ghost".into())),
        Argument::StringToArgument([("k".to_owned(), tensor("ghost"))].into()),
        Argument::CustomObj(CustomObjArgument { name: "ghost".into(), class_fqn: "a.B".into() }),
    ] {
        refused(|module| node(module, "mul.Tensor").inputs[0].arg = list, &["node `mul`", "`ghost`"]);
    }
}

#[test]
fn names_that_are_taken() {
    refused(
        |module| node(module, "mul.Tensor").outputs[0] = tensor("pair_0"),
        &["node `mul`", "`pair_0` is defined twice"],
    );
    refused(|module| node(module, "mul.Tensor").outputs.push(tensor("mul")), &["`mul` is defined twice"]);
    refused(|module| node(module, "mul.Tensor").outputs[0] = tensor(""), &["without a name"]);
    refused(|module| module.graph.inputs[1] = tensor("p_fc_weight"), &["input 1", "defined twice"]);
    refused(|module| module.graph.inputs[1] = tensor(""), &["input 1", "without a name"]);
    let twice = || vec![TensorArgument { name: "t".into() }, TensorArgument { name: "t".into() }];
    refused(
        |module| node(module, "mul.Tensor").outputs = vec![Argument::Tensors(twice())],
        &["`t` is defined twice"],
    );
}

#[test]
fn kinds_that_clash() {
    refused(
        |module| node(module, "mul.Tensor").inputs[0].arg = int("pair_0"),
        &["`pair_0` is used as int but is tensor"],
    );
    refused(
        |module| node(module, "sym_size.int").outputs[0] = tensor("sym_size_int_2"),
        &["used as int but is tensor"],
    );
    refused(|module| module.graph.outputs[0] = int("add"), &["output 0", "used as int but is tensor"]);
    let object = || Argument::CustomObj(CustomObjArgument { name: "pair_0".into(), class_fqn: "a.B".into() });
    refused(|module| node(module, "mul.Tensor").inputs[0].arg = object(), &["used as object but is tensor"]);
    let float = || Argument::SymFloat(SymFloatArgument::Name("pair_0".into()));
    refused(|module| node(module, "mul.Tensor").inputs[0].arg = float(), &["used as float"]);
    let bool = || Argument::SymBool(SymBoolArgument::Name("pair_0".into()));
    refused(|module| node(module, "mul.Tensor").inputs[0].arg = bool(), &["used as bool"]);
}

#[test]
fn outputs_and_inputs_that_are_no_values() {
    for output in [
        Argument::Int(1),
        Argument::String("x".into()),
        Argument::Ints(vec![]),
        Argument::SymInt(SymIntArgument::Int(1)),
        Argument::SymFloat(SymFloatArgument::Float(1.0)),
        Argument::SymBools(vec![SymBoolArgument::Bool(true)]),
        Argument::Device(Device { r#type: "cpu".into(), index: None }),
    ] {
        refused(|module| node(module, "mul.Tensor").outputs[0] = output, &["an output that is"]);
    }
    for input in
        [Argument::Tensors(vec![]), Argument::Ints(vec![1]), Argument::SymInt(SymIntArgument::Int(3))]
    {
        refused(|module| module.graph.inputs[0] = input, &["input 0"]);
    }
}

#[test]
fn unknown_targets_are_refused() {
    for target in ["", "os.system", "torch.ops.aten", "torch.ops.aten.add", "#ns:op", "torch.ops.aten.a.b.c"]
    {
        refused(|module| node(module, "mul.Tensor").target = target.into(), &[target, "call target"]);
    }
}

#[test]
fn signatures_of_another_graph() {
    refused(|module| drop(module.signature.input_specs.pop()), &["6 inputs", "has 7"]);
    refused(|module| drop(module.signature.output_specs.pop()), &["3 outputs", "has 4"]);
    refused(
        |module| module.signature.input_specs.swap(0, 1),
        &["signature", "input 0", "`p_fc_bias`", "`p_fc_weight`"],
    );
    refused(|module| module.signature.output_specs.swap(0, 2), &["output 0", "`add_1`", "`add`"]);
    refused(|module| module.graph.inputs.swap(4, 5), &["input 4"]);
    let spec = || {
        InputSpec::ConstantInput(InputToConstantInputSpec { name: "n".into(), value: ConstantValue::Int(3) })
    };
    refused(|module| module.signature.input_specs[6] = spec(), &["input 6", "constant"]);
    let mutation = |name: &str| {
        let arg = TensorArgument { name: "add".into() };
        OutputSpec::BufferMutation(BufferMutationSpec { arg, buffer_name: name.into() })
    };
    refused(|module| module.signature.output_specs[0] = mutation("ghost"), &["output 0", "`ghost`"]);
    let input = |name: &str| {
        let arg = TensorArgument { name: "add".into() };
        OutputSpec::UserInputMutation(UserInputMutationSpec { arg, user_input_name: name.into() })
    };
    refused(|module| module.signature.output_specs[0] = input("p_fc_weight"), &["`p_fc_weight`"]);
}

#[test]
fn mutations_find_their_input() {
    let mut module = tree();
    let add = || TensorArgument { name: "add".into() };
    let specs = [
        (OutputSpec::BufferMutation(BufferMutationSpec { arg: add(), buffer_name: "scale".into() }), Some(2)),
        (
            OutputSpec::ParameterMutation(ParameterMutationSpec {
                arg: add(),
                parameter_name: "fc.bias".into(),
            }),
            Some(1),
        ),
        (
            OutputSpec::UserInputMutation(UserInputMutationSpec {
                arg: add(),
                user_input_name: "pair_1".into(),
            }),
            Some(5),
        ),
        (OutputSpec::LossOutput(LossOutputSpec { arg: add() }), None),
        (OutputSpec::Token(OutputTokenSpec { arg: TokenArgument { name: "add".into() } }), None),
    ];
    for (spec, input) in specs {
        module.signature.output_specs[0] = spec;
        let function = graph::import(&module).unwrap();
        assert_eq!(function.mutated_input(&function.outputs[0]), input);
        assert_ne!(function.outputs[0], OutputBinding::User);
    }
}

#[test]
fn constants_are_unused_inputs() {
    let mut module = tree();
    let constants = [
        (Argument::Int(3), ConstantValue::Int(3)),
        (Argument::None, ConstantValue::None),
        (Argument::String("relu".into()), ConstantValue::String("relu".into())),
        (Argument::Bool(true), ConstantValue::Bool(true)),
        (Argument::Float(f64::NAN), ConstantValue::Float(f64::NAN)),
    ];
    for (index, (input, value)) in constants.iter().enumerate() {
        let name = if index == 1 { String::new() } else { format!("k{index}") };
        module.graph.inputs.push(input.clone());
        let spec = InputToConstantInputSpec { name, value: value.clone() };
        module.signature.input_specs.push(InputSpec::ConstantInput(spec));
    }
    let function = graph::import(&module).unwrap();
    assert!(matches!(function.inputs[7], InputBinding::Constant(ConstantValue::Int(3))));
    let named = |index: usize| function.graph.value(function.graph.inputs[index]).unwrap();
    assert_eq!((named(7).name.as_str(), &named(7).kind), ("k0", &ValueKind::Constant));
    assert_eq!(named(8).name, "arg8");
    module.graph.inputs[7] = Argument::Int(4);
    assert!(graph::import(&module).unwrap_err().to_string().contains("input 7"));
}

#[test]
fn graphs_inside_see_their_own_inputs_only() {
    refused(
        |module| {
            let Argument::Graph(inner) = &mut node(module, "wrap_with_set_grad_enabled").inputs[1].arg else {
                panic!("no graph")
            };
            inner.graph.nodes[0].inputs[0].arg = tensor("pair_1");
        },
        &["graph/submod_1, node `linear`", "`pair_1` is not defined"],
    );
}

/// A program whose graph holds a graph, and so on.
fn nested(depth: usize, wrap: impl Fn(GraphModule) -> GraphModule) -> GraphModule {
    let mut module = tree();
    module.signature = GraphSignature { input_specs: vec![], output_specs: vec![] };
    module.graph = Graph { inputs: vec![], outputs: vec![], nodes: vec![], ..module.graph };
    (0..depth).fold(module, |module, _| wrap(module))
}

fn call(arg: Argument) -> Node {
    let inputs = vec![NamedArgument { name: String::new(), arg, kind: None }];
    let target = "torch.ops.higher_order.cond".into();
    let (outputs, metadata) = (vec![], Default::default());
    Node { target, inputs, outputs, metadata, is_hop_single_tensor_return: None, name: None }
}

#[test]
fn depth_is_capped() {
    let graphs = |depth| {
        nested(depth, |mut module| {
            let inner = GraphArgument { name: "g".into(), graph: module.graph.clone() };
            module.graph.nodes = vec![call(Argument::Graph(Box::new(inner)))];
            module
        })
    };
    let maps = |depth| {
        let inner =
            (0..depth).fold(Argument::None, |arg, _| Argument::StringToArgument([("k".into(), arg)].into()));
        nested(1, |mut module| {
            module.graph.nodes = vec![call(inner.clone())];
            module
        })
    };
    let run = move || {
        graph::import(&graphs(graph::MAX_DEPTH)).unwrap();
        graph::import(&maps(graph::MAX_DEPTH)).unwrap();
        for module in [graphs(graph::MAX_DEPTH + 1), maps(graph::MAX_DEPTH + 1)] {
            let message = graph::import(&module).unwrap_err().to_string();
            assert!(message.contains("nest deeper"), "{message}");
        }
    };
    std::thread::Builder::new().stack_size(512 << 10).spawn(run).unwrap().join().unwrap();
}

#[test]
fn every_kind_of_argument_is_carried() {
    let mut module = tree();
    let some = |name: &str| TensorArgument { name: name.into() };
    node(&mut module, "mul.Tensor").inputs[0].arg = Argument::OptionalTensors(vec![
        OptionalTensorArgument::None,
        OptionalTensorArgument::Tensor(some("pair_1")),
    ]);
    let function = graph::import(&module).unwrap();
    let value = &function.graph.nodes.iter().find(|node| node.name == "mul").unwrap().inputs[0].value;
    let Operand::List(items) = value else { panic!("{value:?}") };
    assert_eq!(items[0], Operand::None);
    assert!(matches!(items[1], Operand::Value(_)));
    for (argument, text) in [
        (Argument::Complex(ComplexValue { real: 1.0, imag: -2.0 }), "complex(1.0, -2.0)"),
        (Argument::IntLists(vec![vec![1], vec![]]), "[[1], []]"),
        (Argument::FloatLists(vec![vec![0.5]]), "[[0.5]]"),
        (Argument::SymInts(vec![SymIntArgument::Int(2)]), "[2]"),
        (Argument::Strings(vec!["a".into()]), "[\"a\"]"),
        (Argument::Bools(vec![true]), "[true]"),
        (Argument::Operator("torch.ops.aten.add.Tensor".into()), "operator \"torch.ops.aten.add.Tensor\""),
        (Argument::NestedTensors(vec![vec![some("pair_0")]]), "[[%pair_0]]"),
        (Argument::OptionalTensor(OptionalTensorArgument::None), "none"),
        (Argument::StringToArgument([("k".to_owned(), Argument::Int(1))].into()), "{\"k\": 1}"),
    ] {
        node(&mut module, "mul.Tensor").inputs[0].arg = argument;
        let shown = graph::import(&module).unwrap().graph.to_string();
        assert!(shown.contains(&format!("aten::mul.Tensor(self@={text}, ")), "{text}");
    }
}
