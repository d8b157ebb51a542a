//! Each pass by its effect on a graph.

use pt2_graph::graph::{self, Function, InputBinding, OutputBinding};
use pt2_graph::passes::{self, DeviceProfile, Optimization};

/// Asserts that the exact level rewrites one text to the other.
#[track_caller]
pub fn becomes(before: &str, after: &str) {
    let graph = graph::parse(before).unwrap();
    let inputs = vec![InputBinding::User; graph.inputs.len()];
    let outputs = vec![OutputBinding::User; graph.outputs.len()];
    let mut function = Function { graph, inputs, outputs };
    passes::run(&mut function, Optimization::Exact, &DeviceProfile::PLAIN).unwrap();
    assert_eq!(function.graph.to_string(), graph::parse(after).unwrap().to_string());
    assert_eq!(function.graph, graph::parse(after).unwrap());
}

#[test]
fn a_no_grad_body_takes_the_place_of_its_node() {
    becomes(
        "graph(%x: tensor, %w: tensor) {
           %mul: tensor = aten::mul.Tensor(self=%x, other=2)
           %out: tensor = higher_order::wrap_with_set_grad_enabled(false, graph \"submod\"(%a: tensor, %b: tensor) {
             %mul: tensor = aten::mul.Tensor(self=%a, other=%b)
             %linear: tensor = aten::linear.default(input=%mul, weight=%b)
             return (%linear)
           }, %mul, %w)
           %y: tensor = aten::add.Tensor(self=%out, other=%mul)
           return (%y, %out)
         }",
        "graph(%x: tensor, %w: tensor) {
           %mul: tensor = aten::mul.Tensor(self=%x, other=2)
           %mul_1: tensor = aten::mul.Tensor(self=%mul, other=%w) as \"mul\"
           %out: tensor = aten::linear.default(input=%mul_1, weight=%w) as \"linear\"
           %y: tensor = aten::add.Tensor(self=%out, other=%mul)
           return (%y, %out)
         }",
    );
}

#[test]
fn bodies_may_return_inputs_constants_and_one_value_twice() {
    becomes(
        "graph(%x: tensor) {
           %a: tensor, %b: tensor, %c: tensor, %d: int, none = higher_order::wrap_with_set_grad_enabled(true, graph \"g\"(%t: tensor, %n: int) {
             %u: tensor = aten::add_.Tensor(self=%t, other=%n)
             return (%t, %u, %u, %n, none)
           }, %x, 3)
           return (%a, [%b, %c], %d)
         }",
        "graph(%x: tensor) {
           %b: tensor = aten::add_.Tensor(self=%x, other=3) as \"u\"
           return (%x, [%b, %b], 3)
         }",
    );
}

#[test]
fn nested_bodies_and_bodies_in_branches_are_lowered() {
    becomes(
        "graph(%p: tensor, %x: tensor) {
           %y: tensor = higher_order::cond(%p, graph \"t\"(%x: tensor) {
             %o: tensor = higher_order::wrap_with_set_grad_enabled(false, graph \"g\"(%x: tensor) {
               %o: tensor = higher_order::wrap_with_set_grad_enabled(true, graph \"h\"(%x: tensor) {
                 %o: tensor = aten::neg.default(self=%x)
                 return (%o)
               }, %x)
               return (%o)
             }, %x)
             return (%o)
           }, graph \"f\"(%x: tensor) { return (%x) }, [%x])
           return (%y)
         }",
        "graph(%p: tensor, %x: tensor) {
           %y: tensor = higher_order::cond(%p, graph \"t\"(%x: tensor) {
             %o: tensor = aten::neg.default(self=%x)
             return (%o)
           }, graph \"f\"(%x: tensor) { return (%x) }, [%x])
           return (%y)
         }",
    );
}

#[test]
fn a_value_of_one_body_may_enter_the_next() {
    becomes(
        "graph(%x: tensor) {
           %a: tensor = higher_order::wrap_with_set_grad_enabled(false, graph \"g\"(%x: tensor) { return (%x) }, %x)
           %b: tensor = higher_order::wrap_with_set_grad_enabled(false, graph \"g\"(%x: tensor) {
             %a: tensor = aten::neg.default(self=%x)
             %b: tensor, [%n: tensor] = aten::op.default(self=[%a, %x])
             return (%b)
           }, %a)
           return (%a, %b)
         }",
        "graph(%x: tensor) {
           %a_1: tensor = aten::neg.default(self=%x) as \"a\"
           %b: tensor, [%n: tensor] = aten::op.default(self=[%a_1, %x])
           return (%x, %b)
         }",
    );
}

#[test]
fn other_forms_are_unchanged() {
    for text in [
        "graph(%x: tensor) { %y: tensor = higher_order::wrap_with_set_grad_enabled(false, graph \"g\"() { return (1) }, %x) return (%y) }",
        "graph(%x: tensor) { %y: tensor = higher_order::wrap_with_set_grad_enabled(0, graph \"g\"(%x: tensor) { return (%x) }, %x) return (%y) }",
        "graph(%x: tensor) { [%y: tensor] = higher_order::wrap_with_set_grad_enabled(true, graph \"g\"(%x: tensor) { return (%x) }, %x) return (%y) }",
        "graph(%x: tensor) { %y: tensor = higher_order::wrap_with_set_grad_enabled() return (%y) }",
    ] {
        becomes(text, text);
    }
}

#[test]
fn dead_nodes_are_removed_with_their_operands() {
    becomes(
        "graph(%x: tensor) {
           %n: int = aten::sym_size.int(self=%x, dim=0)
           %m: int = _operator.add(a=%n, b=1)
           %v: tensor = aten::view.default(self=%x, size=[%m])
           [%s: tensor, %t: tensor] = aten::split.Tensor(self=%x, split_size=2)
           %y: tensor = aten::neg.default(self=%s)
           return (%y)
         }",
        "graph(%x: tensor) {
           [%s: tensor, %t: tensor] = aten::split.Tensor(self=%x, split_size=2)
           %y: tensor = aten::neg.default(self=%s)
           return (%y)
         }",
    );
}

#[test]
fn effectful_and_unknown_nodes_are_kept() {
    let text = "graph(%x: tensor, %w: tensor) {
           %n: int = aten::sym_size.int(self=%x, dim=0)
           %v: tensor = aten::view.default(self=%x, size=[%n])
           %a: tensor = aten::add_.Tensor(self=%v, other=1)
           %b: tensor = aten::batch_norm.default(input=%x, weight=%w, training=true)
           %c: tensor = aten::rand.default(size=[2])
           %d: tensor = aten::detach_.default(self=%x)
           %e: tensor = aten::add.out(self=%x, other=1, out:=%w)
           %f: tensor = my_lib::view.default(self=%x)
           %g: int = _operator.floordiv(a=1, b=%n)
           %h: bool = _operator.ge(a=%n, b=2)
           aten::_assert_scalar.default(self=%h, assert_msg=\"no\") as \"check\"
           aten::sym_constrain_range_for_size.default(size=%n) as \"range\"
           %i: tensor = higher_order::cond(%h, graph \"t\"() { return (1) }, graph \"f\"() { return (2) }, [])
           return (%x)
         }";
    becomes(text, text);
}

#[test]
fn dead_nodes_in_branches_are_removed() {
    becomes(
        "graph(%p: tensor, %x: tensor) {
           %y: tensor = higher_order::cond(%p, graph \"t\"(%x: tensor) {
             %o: tensor = aten::clone.default(self=%x)
             return (%x)
           }, graph \"f\"(%x: tensor) { return (%x) }, [%x])
           return (%y)
         }",
        "graph(%p: tensor, %x: tensor) {
           %y: tensor = higher_order::cond(%p, graph \"t\"(%x: tensor) { return (%x) }, graph \"f\"(%x: tensor) { return (%x) }, [%x])
           return (%y)
         }",
    );
}

#[test]
fn graphs_that_are_run_as_they_are_take_the_place_of_their_nodes() {
    for wrapper in [
        "strict_mode(graph \"g\"(%t: tensor) { %u: tensor = aten::sin.default(self=%t) return (%u) }, [%x])",
        "hints_wrapper(graph \"g\"(%t: tensor) { %u: tensor = aten::sin.default(self=%t) return (%u) }, [%x], {}, hints={\"a\": 1})",
        "invoke_subgraph(graph \"g\"(%t: tensor) { %u: tensor = aten::sin.default(self=%t) return (%u) }, \"id\", %x)",
        "wrap_with_autocast(\"cpu\", none, false, none, graph \"g\"(%t: tensor) { %u: tensor = aten::sin.default(self=%t) return (%u) }, %x)",
    ] {
        becomes(
            &format!("graph(%x: tensor) {{ %y: tensor = higher_order::{wrapper} return (%y) }}"),
            "graph(%x: tensor) { %y: tensor = aten::sin.default(self=%x) as \"u\" return (%y) }",
        );
    }
}

#[test]
fn effective_casts_are_kept_with_nested_disabled_regions() {
    let off = "higher_order::wrap_with_autocast(\"cpu\", none, false, none, graph \"off\"(%a: tensor) { %b: tensor = aten::mm.default(self=%a, mat2=%a) return (%b) }, %t)";
    let text = format!(
        "graph(%x: tensor) {{ %y: tensor = higher_order::wrap_with_autocast(\"cpu\", none, true, none, graph \"on\"(%t: tensor) {{ %u: tensor = {off} return (%u) }}, %x) return (%y) }}"
    );
    becomes(&text, &text);
}
