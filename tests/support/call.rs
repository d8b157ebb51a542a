//! Runs one call of a program in text form, with inputs only, on the CPU.

use pt2::Result;
use pt2::exec::{self, Input};
use pt2::graph::{self, Function, InputBinding, OutputBinding};
use pt2::plan;
use pt2::torch::{Device, Scope, Tensor};

pub fn call(text: &str, inputs: &[Input]) -> Result<Vec<Tensor>> {
    call_and_ask(text, inputs, |_| ()).0
}

/// Also evaluates something in the scope of the call after it.
pub fn call_and_ask<T>(
    text: &str,
    inputs: &[Input],
    ask: impl FnOnce(&Scope) -> T,
) -> (Result<Vec<Tensor>>, T) {
    let scope = Scope::enter(Device::Cpu, std::ptr::null_mut()).unwrap();
    (called(text, inputs, &scope), ask(&scope))
}

fn called(text: &str, inputs: &[Input], scope: &Scope) -> Result<Vec<Tensor>> {
    let graph = graph::parse(text).unwrap();
    let outputs = vec![OutputBinding::User; graph.outputs.len()];
    let function = Function { graph, inputs: vec![InputBinding::User; inputs.len()], outputs };
    let plan = plan::build(&function, Device::Cpu)?;
    let outputs = exec::run(&plan, scope, &mut exec::frame(&plan, &[]).unwrap(), inputs)?;
    Ok(outputs.into_iter().map(Option::unwrap).collect())
}
