//! Printer of graphs.

use super::JOINS;
use super::enum_names::{format_name, layout_name};
use super::print_token::{commas, device, string, tensor, word};
use crate::graph::{Argument, Graph, Node, Operand, Output, ValueId, ValueKind};
use std::fmt::{Display, Formatter, Result};

/// Prints the text form that [`parse`](super::parse) reads.
impl Display for Graph {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str("graph")?;
        graph(f, self, 0)
    }
}

fn graph(f: &mut Formatter<'_>, graph: &Graph, indent: usize) -> Result {
    f.write_str("(")?;
    commas(f, &graph.inputs, |f, id| define(f, graph, *id))?;
    f.write_str(") {\n")?;
    for each in &graph.nodes {
        margin(f, indent + 1)?;
        node(f, graph, each, indent + 1)?;
    }
    margin(f, indent + 1)?;
    f.write_str("return (")?;
    commas(f, &graph.outputs, |f, output| operand(f, graph, output, indent + 1))?;
    f.write_str(")\n")?;
    margin(f, indent)?;
    f.write_str("}")
}

fn node(f: &mut Formatter<'_>, graph: &Graph, node: &Node, indent: usize) -> Result {
    commas(f, &node.outputs, |f, output| match output {
        Output::None => f.write_str("none"),
        Output::Value(id) => define(f, graph, *id),
        Output::List(ids) => {
            f.write_str("[")?;
            commas(f, ids, |f, id| match id {
                None => f.write_str("none"),
                Some(id) => define(f, graph, *id),
            })?;
            f.write_str("]")
        }
    })?;
    let equals = if node.outputs.is_empty() { "" } else { " = " };
    write!(f, "{equals}{}(", node.target)?;
    commas(f, &node.inputs, |f, input| argument(f, graph, input, indent))?;
    f.write_str(")")?;
    let first = node.defined().next().and_then(|id| graph.value(id)).map_or("", |value| &value.name);
    if node.name != first {
        f.write_str(" as ")?;
        string(f, &node.name)?;
    }
    if let Some(trace) = &node.trace {
        f.write_str(" trace ")?;
        string(f, trace)?;
    }
    f.write_str("\n")
}

fn argument(f: &mut Formatter<'_>, graph: &Graph, argument: &Argument, indent: usize) -> Result {
    let join = JOINS.iter().find(|(_, keyword)| *keyword == argument.keyword).map_or("=", |(join, _)| join);
    if !argument.name.is_empty() {
        word(f, &argument.name)?;
    }
    if !argument.name.is_empty() || argument.keyword.is_some() {
        f.write_str(join)?;
    }
    operand(f, graph, &argument.value, indent)
}

fn operand(f: &mut Formatter<'_>, graph: &Graph, value: &Operand, indent: usize) -> Result {
    match value {
        Operand::None => f.write_str("none"),
        Operand::Value(id) => name(f, graph, *id),
        Operand::Bool(value) => write!(f, "{value}"),
        Operand::Int(value) => write!(f, "{value}"),
        Operand::Float(value) => write!(f, "{value:?}"),
        Operand::Complex(real, imaginary) => write!(f, "complex({real:?}, {imaginary:?})"),
        Operand::String(text) => string(f, text),
        Operand::ScalarType(dtype) => write!(f, "torch.{}", dtype.name()),
        Operand::MemoryFormat(format) => write!(f, "torch.{}", format_name(*format)),
        Operand::Layout(layout) => write!(f, "torch.{}", layout_name(*layout)),
        Operand::Device(value) => device(f, value),
        Operand::List(items) => {
            f.write_str("[")?;
            commas(f, items, |f, item| operand(f, graph, item, indent))?;
            f.write_str("]")
        }
        Operand::Map(items) => map(f, graph, items, indent),
        Operand::Graph(inner) => {
            f.write_str("graph ")?;
            string(f, &inner.name)?;
            self::graph(f, &inner.graph, indent)
        }
        Operand::Operator(name) => {
            f.write_str("operator ")?;
            string(f, name)
        }
    }
}

fn map(f: &mut Formatter<'_>, graph: &Graph, items: &[(String, Operand)], indent: usize) -> Result {
    f.write_str("{")?;
    commas(f, items, |f, (key, item)| {
        string(f, key)?;
        f.write_str(": ")?;
        operand(f, graph, item, indent)
    })?;
    f.write_str("}")
}

fn define(f: &mut Formatter<'_>, graph: &Graph, id: ValueId) -> Result {
    name(f, graph, id)?;
    f.write_str(": ")?;
    match graph.value(id).map(|value| &value.kind) {
        Some(ValueKind::Tensor(Some(meta))) => tensor(f, meta),
        Some(ValueKind::Object { class }) => {
            f.write_str("object ")?;
            string(f, class)
        }
        Some(other) => f.write_str(other.word()),
        None => f.write_str("missing"),
    }
}

fn name(f: &mut Formatter<'_>, graph: &Graph, id: ValueId) -> Result {
    f.write_str("%")?;
    match graph.value(id) {
        Some(value) => word(f, &value.name),
        None => write!(f, "{}", id.0),
    }
}

fn margin(f: &mut Formatter<'_>, indent: usize) -> Result {
    (0..indent).try_for_each(|_| f.write_str("  "))
}
