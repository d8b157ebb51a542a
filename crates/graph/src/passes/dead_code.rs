//! Dead code elimination: removes nodes whose results have no uses.
//!
//! Only operators on the list below are removed. They have no side effects, use no random numbers
//! and check nothing that the exporter has not proved.

use super::changed::Changed;
use crate::Result;
use crate::graph::{Graph, Node, Target, ValueId};

/// Removes dead nodes from this graph and from the graphs inside it.
pub fn run(graph: &mut Graph) -> Result<Changed> {
    let mut changed = Changed::No;
    let mut result = Ok(());
    graph.for_each_graph_mut(&mut |inner| match run(&mut inner.graph) {
        Ok(inside) => changed = changed.or(inside),
        Err(error) => result = Err(error),
    });
    result.map(|()| changed.or(sweep(graph, is_pure)))
}

/// Removes nodes without used results, if `may_go` accepts them. Nodes are visited from the end, so
/// that a node's users are decided before the node.
pub(super) fn sweep(graph: &mut Graph, may_go: impl Fn(&Node) -> bool) -> Changed {
    let mut read = vec![false; graph.values.len()];
    let mark = |read: &mut Vec<bool>, id: ValueId| {
        if let Some(read) = read.get_mut(id.index()) {
            *read = true;
        }
    };
    graph.outputs.iter().for_each(|output| output.for_each_value(&mut |id| mark(&mut read, id)));
    let before = graph.nodes.len();
    let mut kept = Vec::with_capacity(before);
    for node in std::mem::take(&mut graph.nodes).into_iter().rev() {
        let live = node.defined().any(|id| read.get(id.index()).copied().unwrap_or(true));
        if live || !may_go(&node) {
            node.for_each_use(&mut |id| mark(&mut read, id));
            kept.push(node);
        }
    }
    kept.reverse();
    graph.nodes = kept;
    if graph.nodes.len() < before { Changed::Yes } else { Changed::No }
}

fn is_pure(node: &Node) -> bool {
    match &node.target {
        Target::Operator { namespace, name, overload } => {
            namespace == "aten" && ATEN.contains(&(name.as_str(), overload.as_str()))
        }
        Target::Python(name) => PYTHON.contains(&name.as_str()),
        Target::HigherOrder(_) => false,
    }
}

/// Queries of a tensor, views of it and copies of it.
const ATEN: [(&str, &str); 32] = [
    ("_unsafe_view", "default"),
    ("alias", "default"),
    ("chunk", "default"),
    ("clone", "default"),
    ("detach", "default"),
    ("expand", "default"),
    ("flatten", "using_ints"),
    ("lift_fresh_copy", "default"),
    ("movedim", "int"),
    ("narrow", "default"),
    ("permute", "default"),
    ("reshape", "default"),
    ("select", "int"),
    ("slice", "Tensor"),
    ("split", "Tensor"),
    ("split_with_sizes", "default"),
    ("squeeze", "default"),
    ("squeeze", "dim"),
    ("squeeze", "dims"),
    ("sym_numel", "default"),
    ("sym_size", "int"),
    ("sym_storage_offset", "default"),
    ("sym_stride", "int"),
    ("t", "default"),
    ("to", "dtype"),
    ("to", "dtype_layout"),
    ("transpose", "int"),
    ("unbind", "int"),
    ("unflatten", "int"),
    ("unsqueeze", "default"),
    ("view", "default"),
    ("view_as", "default"),
];

/// Arithmetic that cannot fail: no division, no shift, no power.
const PYTHON: [&str; 20] = [
    "_operator.add",
    "_operator.and_",
    "_operator.eq",
    "_operator.ge",
    "_operator.gt",
    "_operator.le",
    "_operator.lt",
    "_operator.mul",
    "_operator.ne",
    "_operator.neg",
    "_operator.or_",
    "_operator.pos",
    "_operator.sub",
    "torch.sym_float",
    "torch.sym_ite",
    "torch.sym_max",
    "torch.sym_min",
    "torch.sym_not",
    "builtins.max",
    "builtins.min",
];
