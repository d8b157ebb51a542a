//! Detection of bitcasts: views of memory as elements of another dtype, which may need more
//! alignment.

use super::resolve::Callee;
use crate::graph::{Function, Node, Target};

/// Returns true if a node, here or in a graph that a node runs, views memory as another dtype.
pub fn has_bitcasts(function: &Function, callees: &[Callee]) -> bool {
    function.graph.nodes.iter().zip(callees).any(|(node, callee)| match callee {
        Callee::Operator(_) => is_bitcast(node),
        Callee::Control(_, bodies) => bodies.iter().any(|body| has_bitcasts(&body.function, &body.callees)),
        Callee::Python(_) => false,
    })
}

fn is_bitcast(node: &Node) -> bool {
    let Target::Operator { namespace, name, overload } = &node.target else { return false };
    let target = (name.as_str(), overload.as_str());
    namespace == "aten" && (target.0 == "view_as_complex" || target == ("view", "dtype"))
}
