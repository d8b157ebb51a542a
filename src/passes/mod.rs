//! The passes, in the order they run: each makes a graph that means the same and costs less.
//!
//! Owns: the list, the table of what a device likes ([`Traits`]) and what operators do to memory. Enters: a
//! verified [`Function`]. Leaves: the same function with another graph, verified after every change, which
//! [`split`] can part into what runs once and what runs in every call. A pass computes nothing and asks libtorch
//! nothing; what it may assume of an operator is written in this room. `docs/concepts/optimiser.md` gives the reasons for
//! the order.

mod accumulate;
mod activation;
mod aliases;
mod assumed_sizes;
mod batch_norm;
mod common;
mod constants;
mod convolution;
mod copies;
mod dead_code;
mod default_dtype;
mod fuse;
mod identity;
mod in_place;
mod inline;
mod layout;
mod linear;
mod memory;
mod once;
mod order;
mod pointwise;
mod product;
mod readers;
mod reorder;
mod rewrite;
mod shapes;
mod space_to_depth;
mod spent;
mod stale;
mod strides;
mod sum;
mod traits;
mod wrapper;

pub use convolution::{CUDNN, Library};
pub use linear::NAME as PRODUCT_WITH_ACTIVATION;
pub use memory::PORTABLE;
pub use once::{Folding, Parts, split};
pub use order::{CONTIGUOUS, memory_format};
pub use pointwise::NAME as POINTWISE;
pub use reorder::waits_for_calls;
pub use shapes::{Inferred, Shape, infer};
pub use space_to_depth::NAME as SPACE_TO_DEPTH;
pub use stale::{Stale, stale};
pub use strides::NAME as RESTRIDE;
pub use traits::{Depthwise, FewChannels, FusedConvolution, LayoutCosts, Optimization, Traits};

use crate::graph::{Function, Graph};
use crate::{Error, Result, reserve, timeline};

/// Whether a pass did something.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Changed {
    /// The graph is another one now.
    Yes,
    /// The graph is as it was.
    No,
}

/// One pass.
pub type Pass = fn(&mut Function, &Traits) -> Result<Changed>;

/// A pass with its name and the lowest level at which it runs.
type Listed = (&'static str, Optimization, Pass);

/// Every pass, in order. Those of the exact level keep results to the last bit.
pub const PASSES: [Listed; 16] = [
    // First, so that the later passes see one flat list of nodes.
    ("inline", Optimization::Exact, |function, _| inline::run(&mut function.graph)),
    // Before `common` and whatever else takes values that may share memory for one.
    ("copies", Optimization::Exact, |function, _| copies::run(function)),
    // While strides are those that the exporter recorded: `layout` changes them.
    ("strides", Optimization::Exact, |function, _| strides::run(function)),
    // On one flat list, before nodes are compared or joined.
    ("default_dtype", Optimization::Exact, |function, _| Ok(default_dtype::run(&mut function.graph))),
    // Before whatever compares sizes or takes them for fixed.
    ("assumed_sizes", Optimization::Fast, |function, _| Ok(assumed_sizes::run(&mut function.graph))),
    // Before what looks at neighbours: dropout stands between them.
    ("identity", Optimization::Exact, |function, _| identity::run(function)),
    // Before convolutions are fused: batch norm stands between them and their activation.
    ("batch_norm", Optimization::Fast, |function, _| batch_norm::run(function)),
    // Before fusion, which would make two nodes out of one for each twin.
    ("common", Optimization::Exact, |function, _| common::run(function)),
    ("fuse", Optimization::Fast, fuse::run),
    // As fusion, for products.
    ("linear", Optimization::Fast, linear::run),
    // After fusion, so that it sees which convolutions there are.
    ("layout", Optimization::Fast, layout::run),
    // After layout, which decides where channels lie innermost.
    ("space_to_depth", Optimization::Fast, space_to_depth::run),
    // After layout, which does not look into what is written in place.
    ("accumulate", Optimization::Fast, |function, _| accumulate::run(function)),
    // After all that looks for single operators.
    ("pointwise", Optimization::Fast, pointwise::run),
    // After arithmetic was joined: what lies between needs no memory.
    ("in_place", Optimization::Fast, in_place::run),
    // Last, because the passes before it leave nodes behind that nothing needs.
    ("dead_code", Optimization::Exact, |function, _| dead_code::run(&mut function.graph)),
];

/// Runs every pass of a level.
pub fn run(function: &mut Function, level: Optimization, traits: &Traits) -> Result<()> {
    let runs = |from: &Optimization| level == Optimization::Fast || *from == Optimization::Exact;
    let chosen = PASSES.iter().filter(|(_, from, _)| runs(from));
    chosen
        .into_iter()
        .try_for_each(|(name, _, pass)| timeline::span(name, || apply(name, *pass, function, traits)))
}

/// Runs one pass. A graph that is broken after it is a bug of the pass, not of the archive.
fn apply(name: &str, pass: Pass, function: &mut Function, traits: &Traits) -> Result<()> {
    reserve::check()?;
    if pass(function, traits)? == Changed::No {
        return Ok(());
    }
    check(&mut function.graph)
        .map_err(|error| Error::Internal { reason: format!("the pass {name} broke the graph: {error}") })
}

fn check(graph: &mut Graph) -> Result<()> {
    graph.renumber();
    graph.verify()
}

impl Changed {
    /// `Yes` if either is.
    fn or(self, other: Changed) -> Changed {
        if other == Changed::Yes { Changed::Yes } else { self }
    }
}
