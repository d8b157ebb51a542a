//! The effects of compiled code, derived from the program beside it.

use crate::graph;
use crate::plan::{self, Effects};
use crate::program::Program;
use crate::torch::Device;

/// The effects of the program that the code was compiled from. None where nobody tells: without a program, and for
/// one that this process could not run.
///
/// The signature alone does not tell: programs are saved with their operators in place.
pub fn effects_of(program: &Program) -> Option<Effects> {
    let mut function = graph::import(&program.graph_module).ok()?;
    plan::lower_higher_order(&mut function).ok()?;
    plan::build(&function, Device::Cpu).ok().map(|plan| plan.effects)
}
