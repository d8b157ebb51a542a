//! Import: resolves the names of the schema's graph into a [`Function`].

mod builder;
mod error_location;
mod operand;
mod output;
mod signature;

use super::{Argument, Author, Function, Graph, MAX_DEPTH, Node, Target};
use crate::Result;
use crate::program::schema::{self, Untyped};
use builder::GraphBuilder;
use error_location::ErrorLocation;

/// Builds a program's graph with the meaning of its inputs and outputs.
///
/// A name that is missing, used before its definition, defined twice or of another kind is an
/// error. The error names the node and the value.
pub fn import(module: &schema::GraphModule) -> Result<Function> {
    let names = signature::constant_names(&module.signature);
    let graph = graph(&module.graph, &names, "graph", 0)?;
    let function = signature::bind(module, graph)?;
    function.graph.verify()?;
    Ok(function)
}

/// Builds one graph. `path` is its place in error messages. `names` has a name for each input that
/// is a constant, because the archive's graph has none for it.
fn graph(source: &schema::Graph, names: &[Option<&str>], path: &str, depth: usize) -> Result<Graph> {
    let here = ErrorLocation::new(path);
    if depth > MAX_DEPTH {
        return Err(here.error(format!("graphs and lists nest deeper than {MAX_DEPTH}")));
    }
    let mut scope = GraphBuilder::new(source, path, depth);
    for (index, input) in source.inputs.iter().enumerate() {
        let name = names.get(index).copied().flatten();
        let id = scope
            .input(index, input, name)
            .map_err(|reason| here.error(format!("input {index}: {reason}")))?;
        scope.graph.inputs.push(id);
    }
    for node in &source.nodes {
        let node = build_node(&mut scope, node)?;
        scope.graph.nodes.push(node);
    }
    for (index, output) in source.outputs.iter().enumerate() {
        let operand = scope.operand(output, here.field(&format!("output {index}")), depth + 1)?;
        scope.graph.outputs.push(operand);
    }
    Ok(scope.graph)
}

fn build_node<'a>(scope: &mut GraphBuilder<'a>, source: &'a schema::Node) -> Result<Node> {
    let target = Target::parse(&source.target)?;
    let name = output::node_name(source, &target);
    let here = ErrorLocation::new(scope.path).node(&name);
    let mut inputs = Vec::with_capacity(source.inputs.len());
    for input in &source.inputs {
        let at = here.field(&input.name);
        let value = match (&target, &input.arg) {
            (Target::HigherOrder(_), schema::Argument::Tensors(items)) => scope.values(items, at)?,
            _ => scope.operand(&input.arg, at, scope.depth + 1)?,
        };
        inputs.push(Argument { name: input.name.clone(), keyword: keyword(input.kind), value });
    }
    let outputs = output::outputs(scope, source, &target).map_err(|reason| here.error(reason))?;
    let trace = source.metadata.get("stack_trace").and_then(Untyped::text).map(str::to_owned);
    Ok(Node { name, target, inputs, outputs, trace, author: Author::Exporter })
}

fn keyword(kind: Option<schema::ArgumentKind>) -> Option<bool> {
    match kind? {
        schema::ArgumentKind::Unknown => None,
        schema::ArgumentKind::Positional => Some(false),
        schema::ArgumentKind::Keyword => Some(true),
    }
}
