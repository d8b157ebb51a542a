//! Trivial higher-order operators: those that mean the same as the one graph they run.

use crate::graph::{Argument, Graph, Node, Operand, Output, Target, ValueKind};

/// Node that means the same as the graph it runs.
pub struct TrivialHop<'a> {
    body: &'a Graph,
    operands: Vec<&'a Operand>,
}

impl<'a> TrivialHop<'a> {
    /// Returns the trivial operator that a node is, if its form is known. Any other form is left
    /// for the plan to run or refuse.
    ///
    /// `casts` is true if autocast may be enabled around the node.
    pub fn of(node: &'a Node, casts: bool) -> Option<TrivialHop<'a>> {
        let Target::HigherOrder(name) = &node.target else { return None };
        let wrapper = match (name.as_str(), node.inputs.as_slice()) {
            // Gradients are never recorded here, so the mode that it sets has no effect.
            ("wrap_with_set_grad_enabled", [mode, body, operands @ ..])
                if matches!(mode.value, Operand::Bool(_)) =>
            {
                TrivialHop::spread(body, operands)
            }
            // Keyword arguments are meant for a compiler.
            ("foreach_map" | "invoke_quant", [body, operands @ ..]) => {
                let keyword = operands.iter().position(|operand| operand.keyword == Some(true));
                TrivialHop::spread(body, operands.get(..keyword.unwrap_or(operands.len()))?)
            }
            // The text argument only identifies equal graphs.
            ("invoke_subgraph", [body, _, operands @ ..]) => TrivialHop::spread(body, operands),
            ("strict_mode" | "run_const_graph", [body, operands]) => TrivialHop::listed(body, operands),
            ("hints_wrapper", [body, operands, named, ..]) if is_empty(&named.value) => {
                TrivialHop::listed(body, operands)
            }
            ("wrap_with_autocast", [device, _, enabled, _, body, operands @ ..])
                if has_no_effect(&device.value, &enabled.value, &body.value, casts) =>
            {
                TrivialHop::spread(body, operands)
            }
            _ => None,
        }?;
        wrapper.fits(node).then_some(wrapper)
    }

    fn spread(body: &'a Argument, operands: &'a [Argument]) -> Option<TrivialHop<'a>> {
        let operands = operands.iter().map(|argument| &argument.value).collect();
        Some(TrivialHop { body: graph(&body.value)?, operands })
    }

    fn listed(body: &'a Argument, operands: &'a Argument) -> Option<TrivialHop<'a>> {
        let Operand::List(items) = &operands.value else { return None };
        Some(TrivialHop { body: graph(&body.value)?, operands: items.iter().collect() })
    }

    fn fits(&self, node: &Node) -> bool {
        let lists = node.outputs.iter().any(|output| matches!(output, Output::List(_)));
        !lists
            && self.operands.len() == self.body.inputs.len()
            && node.outputs.len() == self.body.outputs.len()
    }

    /// Returns the graph, and the operands for its inputs.
    pub fn to_owned(&self) -> (Graph, Vec<Operand>) {
        (self.body.clone(), self.operands.iter().copied().cloned().collect())
    }
}

/// Returns true if the graphs of a node may run with autocast enabled.
pub fn enables_autocast(node: &Node) -> bool {
    node.target.is_higher_order("wrap_with_autocast")
        && node.inputs.get(2).is_none_or(|enabled| enabled.value != Operand::Bool(false))
}

/// Returns true if an autocast region changes nothing. Either it disables autocast where it is
/// already disabled, or it is for a device on which the graph has no tensor.
fn has_no_effect(device: &Operand, enabled: &Operand, body: &Operand, casts: bool) -> bool {
    let (Operand::String(device), Some(body)) = (device, graph(body)) else { return false };
    (*enabled == Operand::Bool(false) && !casts) || is_elsewhere(body, device)
}

fn is_elsewhere(graph: &Graph, device: &str) -> bool {
    let elsewhere = |kind: &ValueKind| match kind {
        ValueKind::Tensor(Some(meta)) => meta.device.r#type != device,
        ValueKind::Tensor(None) => false,
        _ => true,
    };
    let mut all = graph.values.iter().all(|value| elsewhere(&value.kind));
    for argument in graph.nodes.iter().flat_map(|node| &node.inputs) {
        argument.value.for_each_graph(&mut |inner| all &= is_elsewhere(&inner.graph, device));
    }
    all
}

fn graph(operand: &Operand) -> Option<&Graph> {
    match operand {
        Operand::Graph(subgraph) => Some(&subgraph.graph),
        _ => None,
    }
}

fn is_empty(operand: &Operand) -> bool {
    matches!(operand, Operand::Map(items) if items.is_empty())
}
