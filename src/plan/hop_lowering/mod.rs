//! Lowering of `prims` and of higher-order operators that call one operator, to ordinary operators.
//!
//! Input: an exported function that passed the policy. Output: the same function with ordinary
//! nodes. Passes and plan treat these like any other node.

mod auto_functionalized;
mod base_views;
mod node_arguments;
mod out_dtype;
mod prims;
mod with_effects;

use crate::graph::{Author, Function, Graph, Node, Operand, Output, Rewriter, Target, ValueKind};
use crate::{Error, Result};

/// Lowers one form of node.
type HopLowering = fn(&mut Rewriter<'_>, Node) -> Result<(), String>;

/// Lowerings by name of the higher-order operator.
const FORMS: [(&str, HopLowering); 4] = [
    ("auto_functionalized", auto_functionalized::v1),
    ("auto_functionalized_v2", auto_functionalized::v2),
    ("out_dtype", out_dtype::write),
    ("with_effects", with_effects::write),
];

/// Lowers all of these nodes, in inner graphs too.
pub fn lower_higher_order(function: &mut Function) -> Result<()> {
    if in_graph(&mut function.graph)? {
        function.graph.renumber();
        function.graph.verify()?;
    }
    Ok(())
}

/// Lowers a graph and its inner graphs. Returns true if a node changed.
fn in_graph(graph: &mut Graph) -> Result<bool> {
    let (mut found, mut result) = (false, Ok(()));
    graph.for_each_graph_mut(&mut |inner| match in_graph(&mut inner.graph) {
        Ok(inside) => found |= inside,
        Err(error) => result = Err(error),
    });
    result?;
    if !graph.nodes.iter().any(|node| lowering_of(&node.target).is_some()) {
        return Ok(found);
    }
    graph.rewrite(write)?;
    Ok(true)
}

fn write(rewriter: &mut Rewriter<'_>, node: Node) -> Result<()> {
    let Some(lowering) = lowering_of(&node.target) else {
        rewriter.push(node);
        return Ok(());
    };
    let at = format!("node `{}` ({})", node.name.escape_debug(), node.target);
    lowering(rewriter, node).map_err(|reason| Error::Program { at, reason })
}

fn lowering_of(target: &Target) -> Option<HopLowering> {
    match target {
        Target::HigherOrder(name) => {
            FORMS.iter().find(|(known, _)| known == name).map(|(_, lowering)| *lowering)
        }
        Target::Operator { namespace, name, overload } if namespace == "prims" && overload == "default" => {
            prims::lowering_of(name)
        }
        _ => None,
    }
}

/// Returns the operator that an operand names.
fn operator(operand: &Operand) -> Result<Target, String> {
    match operand {
        Operand::Operator(name) => Target::parse(name).map_err(|error| error.to_string()),
        _ => Err("it names no operator".into()),
    }
}

/// Adds a node beside the lowered one and returns its result, a tensor.
fn helper(
    rewriter: &mut Rewriter<'_>,
    node: &Node,
    target: Target,
    inputs: Vec<crate::graph::Argument>,
) -> Operand {
    let result = rewriter.value(&node.name, ValueKind::Tensor(None));
    let outputs = vec![Output::Value(result)];
    let name = format!("{} ({target})", node.name);
    rewriter.push(Node {
        name,
        target,
        inputs,
        outputs,
        trace: node.trace.clone(),
        author: Author::Exporter,
    });
    Operand::Value(result)
}

/// Returns the results of the operator itself. The archive records one None for an operator without
/// results.
fn returns(outputs: &[Output]) -> Vec<Output> {
    if *outputs == [Output::None] { Vec::new() } else { outputs.to_vec() }
}
