//! Passes over a function's graph. Each keeps the meaning of the graph and lowers its cost.
//!
//! - Owns: the list of passes, the device profiles ([`DeviceProfile`]) and the operator effects.
//! - Input: a verified [`Function`].
//! - Output: the same function with another graph, which is verified after every change.
//!
//! [`split_const_subgraph()`] separates constant folding from the part that runs in every call. A
//! pass runs no operator and does not call libtorch. Its assumptions about operators are tables of
//! this module. `docs/concepts/optimiser.md` explains the order.

mod activation;
mod alias;
mod assumed_sizes;
mod batch_norm;
mod changed;
mod channels_last;
mod constant_analysis;
mod contiguity;
mod conv_fusion;
mod convolution;
mod cse;
mod dead_code;
mod default_dtype;
mod device_copies;
mod device_profile;
mod dirty_constants;
mod elementwise;
mod folding_budget;
mod graph_edit;
mod identity;
mod inline;
mod kernel_strides;
mod last_use;
mod linear_fusion;
mod memory_format;
mod onednn_prepack;
mod op_effects;
mod pointwise_fusion;
pub mod pt2_ops;
mod recorded_strides;
mod reinplace;
mod shapes;
mod sorted_names;
mod space_to_depth;
mod split_const_subgraph;
mod sum;
mod sum_in_place;
mod trivial_hop;
mod uses;
mod weight_product;

pub use changed::Changed;
pub use convolution::Library;
pub use device_profile::{
    Depthwise, DeviceProfile, FewChannels, FusedConvolution, LayoutCosts, Optimization,
};
pub use dirty_constants::{DirtyConstants, dirty_constants};
pub use memory_format::memory_format;
pub use onednn_prepack::prepacks_in_calls;
pub use op_effects::{PORTABLE, returns_unannotated, writes_unannotated};
pub use shapes::{Inferred, Shape, infer};
pub use split_const_subgraph::{ConstSubgraph, SplitFunction, split_const_subgraph};

use crate::graph::{Function, Graph};
use crate::{Error, Result, timeline};
use pt2_host::reserve;

/// Function that runs one pass.
pub type Pass = fn(&mut Function, &DeviceProfile) -> Result<Changed>;

/// Pass with its name, which is its module's, and the lowest level at which it runs.
type Listed = (&'static str, Optimization, Pass);

/// All passes, in order. Those of the exact level keep results to the last bit.
pub const PASSES: [Listed; 16] = [
    // First, so that the later passes see one flat list of nodes.
    ("inline", Optimization::Exact, |function, _| inline::run(&mut function.graph)),
    // Before `cse` and every other pass that treats values that may share memory as one.
    ("device_copies", Optimization::Exact, |function, _| device_copies::run(function)),
    // While strides are those that the exporter recorded: `channels_last` changes them.
    ("kernel_strides", Optimization::Exact, kernel_strides::run),
    // On one flat list, before nodes are compared or fused.
    ("default_dtype", Optimization::Exact, |function, _| Ok(default_dtype::run(&mut function.graph))),
    // Before passes that compare sizes or treat them as fixed.
    ("assumed_sizes", Optimization::Fast, |function, _| Ok(assumed_sizes::run(&mut function.graph))),
    // Before passes that match adjacent nodes, which dropout separates.
    ("identity", Optimization::Exact, |function, _| identity::run(function)),
    // Before convolutions are fused: batch norm separates them from their activation.
    ("batch_norm", Optimization::Fast, |function, _| batch_norm::run(function)),
    // Before fusion, which would turn common subexpressions into different nodes.
    ("cse", Optimization::Exact, |function, _| cse::run(function)),
    ("conv_fusion", Optimization::Fast, conv_fusion::run),
    // The counterpart of `conv_fusion` for matrix products.
    ("linear_fusion", Optimization::Fast, linear_fusion::run),
    // After fusion, so that it sees the final convolutions.
    ("channels_last", Optimization::Fast, channels_last::run),
    // After `channels_last`, which decides which convolutions are channels-last.
    ("space_to_depth", Optimization::Fast, space_to_depth::run),
    // After `channels_last`, which does not analyse calls that write in place.
    ("sum_in_place", Optimization::Fast, |function, _| sum_in_place::run(function)),
    // After all passes that match single operators.
    ("pointwise_fusion", Optimization::Fast, pointwise_fusion::run),
    // After pointwise fusion, whose intermediate results need no memory.
    ("reinplace", Optimization::Fast, reinplace::run),
    // Last, because the passes before it leave unused nodes behind.
    ("dead_code", Optimization::Exact, |function, _| dead_code::run(&mut function.graph)),
];

/// Runs every pass of a level.
pub fn run(function: &mut Function, level: Optimization, profile: &DeviceProfile) -> Result<()> {
    let runs = |from: &Optimization| level == Optimization::Fast || *from == Optimization::Exact;
    let chosen = PASSES.iter().filter(|(_, from, _)| runs(from));
    chosen
        .into_iter()
        .try_for_each(|(name, _, pass)| timeline::span(name, || apply(name, *pass, function, profile)))
}

/// Runs one pass. A graph that is invalid afterwards is a bug of the pass, not of the archive.
fn apply(name: &str, pass: Pass, function: &mut Function, profile: &DeviceProfile) -> Result<()> {
    reserve::check()?;
    if pass(function, profile)? == Changed::No {
        return Ok(());
    }
    check(&mut function.graph)
        .map_err(|error| Error::Internal { reason: format!("the pass {name} broke the graph: {error}") })
}

fn check(graph: &mut Graph) -> Result<()> {
    graph.renumber();
    graph.verify()
}
