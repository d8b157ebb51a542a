//! The passes, in the order they run: each makes a graph that means the same and costs less.
//!
//! Owns: the list. Enters: a verified [`Function`]. Leaves: the same function with another graph, verified after
//! every change. A pass computes nothing and asks libtorch nothing; what it may assume of an operator is written
//! in it.

mod dead_code;
mod inline;
mod wrapper;

use crate::graph::{Function, Graph};
use crate::{Error, Result};

/// Whether a pass did something.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Changed {
    /// The graph is another one now.
    Yes,
    /// The graph is as it was.
    No,
}

/// One pass.
pub type Pass = fn(&mut Graph) -> Result<Changed>;

/// Every pass with its name, in order. All of them are exact: results stay the same to the last bit.
pub const PASSES: [(&str, Pass); 2] = [
    // First, so that the later passes see one flat list of nodes.
    ("inline", inline::run),
    // Last, because the passes before it leave nodes behind that nothing needs.
    ("dead_code", dead_code::run),
];

/// Runs every pass.
pub fn run(function: &mut Function) -> Result<()> {
    PASSES.iter().try_for_each(|(name, pass)| apply(name, *pass, &mut function.graph))
}

/// Runs one pass. A graph that is broken after it is a bug of the pass, not of the archive.
fn apply(name: &str, pass: Pass, graph: &mut Graph) -> Result<()> {
    if pass(graph)? == Changed::No {
        return Ok(());
    }
    graph.renumber();
    graph
        .verify()
        .map_err(|error| Error::Internal { reason: format!("the pass {name} broke the graph: {error}") })
}

impl Changed {
    /// `Yes` if either is.
    fn or(self, other: Changed) -> Changed {
        if other == Changed::Yes { Changed::Yes } else { self }
    }
}
