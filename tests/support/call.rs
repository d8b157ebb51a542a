//! One call of a program in text form, with nothing but inputs, on the CPU.

use pt2::Result;
use pt2::graph::{self, Function, InputBinding, OutputBinding};
use pt2::plan;
use pt2::run::{self, Input};
use pt2::torch::{Device, Scope, Tensor};

pub fn call(text: &str, inputs: &[Input]) -> Result<Vec<Tensor>> {
    let graph = graph::parse(text).unwrap();
    let outputs = vec![OutputBinding::User; graph.outputs.len()];
    let function = Function { graph, inputs: vec![InputBinding::User; inputs.len()], outputs };
    let plan = plan::build(&function, Device::Cpu)?;
    let scope = Scope::enter(Device::Cpu, std::ptr::null_mut()).unwrap();
    let outputs = run::run(&plan, &scope, &mut run::frame(&plan, &[]).unwrap(), inputs)?;
    Ok(outputs.into_iter().map(Option::unwrap).collect())
}
