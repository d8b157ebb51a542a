//! Effects of compiled code, derived from the program beside it.

use crate::graph;
use crate::plan::{self, Effects};
use crate::program::Program;
use crate::torch::Device;

/// Returns the effects of the program that the code was compiled from. None if this process could
/// not run it.
///
/// The signature alone is not enough, because programs are saved with in-place operators.
pub fn effects_of(program: &Program) -> Option<Effects> {
    let mut function = graph::import(&program.graph_module).ok()?;
    plan::lower_higher_order(&mut function).ok()?;
    plan::build(&function, Device::Cpu).ok().map(|plan| plan.effects)
}
