//! Graphs inside a program, written by hand: forms that no current exporter writes, and rejected
//! ones.

use pt2::exec::{self, Input};
use pt2::graph::{self, Function, InputBinding, OutputBinding, ValueKind};
use pt2::plan::{self, Plan};
use pt2::torch::{Device, Scope, Tensor};
use pt2::{Error, Result};

fn bind(text: &str) -> Result<Plan> {
    let graph = graph::parse(text).unwrap();
    let inputs = vec![InputBinding::User; graph.inputs.len()];
    let outputs = vec![OutputBinding::User; graph.outputs.len()];
    plan::build(&Function { graph, inputs, outputs }, Device::Cpu)
}

fn call(plan: &Plan, inputs: &[Tensor]) -> Result<Vec<Option<Tensor>>> {
    let scope = Scope::enter(Device::Cpu, std::ptr::null_mut()).unwrap();
    let inputs: Vec<Input> = inputs.iter().cloned().map(Input::Tensor).collect();
    exec::run(plan, &scope, &mut exec::frame(plan, &[]).unwrap(), &inputs)
}

fn number(tensor: Option<&Option<Tensor>>) -> Vec<u8> {
    tensor.unwrap().as_ref().unwrap().to_bytes().unwrap()
}

#[test]
fn custom_objects_are_refused_by_name_and_class() {
    let mut graph = graph::parse(
        "graph(%a: tensor, %b: tensor, %x: tensor) {
           %y: tensor = aten::relu.default(self=%x)
           return (%y)
         }",
    )
    .unwrap();
    for (at, class) in [(0, "__torch__.my.Tokenizer"), (1, "__torch__.my.Table")] {
        graph.values[at].kind = ValueKind::Object { class: class.into() };
    }
    let object = |name: &str| InputBinding::Object(name.into());
    let inputs = vec![object("tokenizer"), object("table"), InputBinding::User];
    let function = Function { graph, inputs, outputs: vec![OutputBinding::User] };
    let error = plan::build(&function, Device::Cpu).unwrap_err().to_string();
    for word in ["`tokenizer` of class `__torch__.my.Tokenizer`", "`table` of class `__torch__.my.Table`"] {
        assert!(error.contains(word), "{error}");
    }
}

#[test]
fn all_missing_operators_are_reported_together() {
    let error = bind(
        "graph(%p: tensor, %x: tensor) {
           %a: tensor = no::such.default(self=%x)
           %y: tensor = higher_order::cond(%p, graph \"t\"(%x: tensor) {
             %o: tensor = no::such_either.default(self=%x)
             return (%o)
           }, graph \"f\"(%x: tensor) {
             %o: tensor = higher_order::triton_kernel_wrapper_functional(%x)
             return (%o)
           }, [%a])
           return (%y)
         }",
    );
    let expected =
        ["no::such.default", "no::such_either.default", "higher_order::triton_kernel_wrapper_functional"];
    assert!(matches!(error, Err(Error::MissingOperators { operators }) if operators == expected));
}

#[test]
fn a_branch_that_writes_to_its_operand_writes_to_the_input() {
    let plan = bind(
        "graph(%p: tensor, %x: tensor, %y: tensor) {
           %v: tensor = aten::view.default(self=%x, size=[-1])
           %r: tensor = higher_order::cond(%p, graph \"t\"(%a: tensor, %b: tensor) {
             %o: tensor = aten::add_.Tensor(self=%b, other=%a)
             return (%o)
           }, graph \"f\"(%a: tensor, %b: tensor) { return (%b) }, [%y, %v])
           return (%r)
         }",
    );
    assert_eq!(plan.unwrap().effects.inputs, [1]);
}

#[test]
fn a_branch_may_return_its_operand() {
    let plan = bind(
        "graph(%p: tensor, %x: tensor, %y: tensor) {
           %r: tensor = higher_order::cond(%p, graph \"t\"(%a: tensor, %b: tensor) { return (%b) },
             graph \"f\"(%a: tensor, %b: tensor) {
               %o: tensor = aten::add.Tensor(self=%a, other=%b)
               return (%o)
           }, [%x, %y])
           %w: tensor = aten::zero_.default(self=%r)
           return (%w)
         }",
    );
    assert_eq!(plan.unwrap().effects.inputs, [2]);
}

#[test]
fn an_error_names_the_node_inside() {
    let plan = bind(
        "graph(%p: tensor, %x: tensor) {
           %y: tensor = higher_order::cond(%p, graph \"t\"(%x: tensor) {
             %inside: tensor = aten::mm.default(self=%x, mat2=%x)
             return (%inside)
           }, graph \"f\"(%x: tensor) { return (%x) }, [%x])
           return (%y)
         }",
    )
    .unwrap();
    let error = call(&plan, &[Tensor::from_bool(true).unwrap(), Tensor::from_int(1).unwrap()]).unwrap_err();
    assert!(matches!(&error, Error::Operator { node, .. } if node == "inside"), "{error}");
    assert!(call(&plan, &[Tensor::from_bool(false).unwrap(), Tensor::from_int(1).unwrap()]).is_ok());
}

#[test]
fn a_node_with_mismatched_subgraphs_is_refused() {
    for node in [
        "higher_order::cond(true, graph \"t\"() { return (1) }, graph \"f\"(%a: tensor) { return (%a) }, [%x])",
        "higher_order::cond(true, graph \"t\"(%a: tensor) { return (%a) }, [%x])",
        "higher_order::while_loop(graph \"c\"(%a: tensor) { return (false, %a) }, graph \"b\"(%a: tensor) { return (%a) }, [%x], [])",
        "higher_order::scan(graph \"b\"() { return (1) }, [], [], [])",
    ] {
        let error = bind(&format!("graph(%x: tensor) {{ %y: tensor = {node} return (%y) }}"));
        assert!(matches!(&error, Err(Error::Program { at, .. }) if at.contains("`y`")), "{error:?}");
    }
}

#[test]
fn predicates_and_results_may_be_numbers() {
    let plan = bind(
        "graph(%x: tensor) {
           %n: int = higher_order::cond(true, graph \"t\"() { return (3) }, graph \"f\"() { return (4) }, [])
           %m: int = higher_order::while_loop(graph \"c\"(%i: int) {
             %go: bool = _operator.lt(%i, 10)
             return (%go)
           }, graph \"b\"(%i: int) {
             %next: int = _operator.add(%i, 4)
             return (%next)
           }, [%n], [])
           return (%n, %m)
         }",
    );
    let outputs = call(&plan.unwrap(), &[Tensor::from_int(0).unwrap()]).unwrap();
    assert_eq!(number(outputs.first()), 3i64.to_le_bytes());
    assert_eq!(number(outputs.get(1)), 11i64.to_le_bytes());
}
