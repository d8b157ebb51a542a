//! Effects of compiled code, derived from the program beside it.

use crate::graph;
use crate::plan::{self, Effects};
use crate::program::Program;

/// Returns the effects of the program that the code was compiled from. None if this process lacks
/// one of its operators, whose schemas declare the effects.
///
/// The signature alone is not enough, because programs are saved with in-place operators.
pub fn effects_of(program: &Program) -> Option<Effects> {
    let mut function = graph::import(&program.graph_module).ok()?;
    plan::lower_higher_order(&mut function).ok()?;
    plan::effects(&function).ok()
}
