//! Operands: what is passed to a node, and what a graph returns.

use super::{Graph, ValueId};
use crate::program::schema::{Device, Layout, MemoryFormat, ScalarType};

/// A value or a constant.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// Python's `None`.
    None,
    /// A value of the same graph.
    Value(ValueId),
    /// A bool known at export.
    Bool(bool),
    /// An integer known at export.
    Int(i64),
    /// A float known at export.
    Float(f64),
    /// A complex number known at export: real and imaginary part.
    Complex(f64, f64),
    /// A string.
    String(String),
    /// A dtype.
    ScalarType(ScalarType),
    /// A memory format.
    MemoryFormat(MemoryFormat),
    /// A layout.
    Layout(Layout),
    /// A device of the exporting machine.
    Device(Device),
    /// Any list. Its elements may be `None`, values, constants or lists.
    List(Vec<Operand>),
    /// A dictionary with strings as keys.
    Map(Vec<(String, Operand)>),
    /// A graph that a higher-order operator runs.
    Graph(Box<Subgraph>),
    /// An operator passed by name.
    Operator(String),
}

/// A graph passed as an operand. It is closed: it sees its own inputs and nothing of the graph around it.
#[derive(Clone, Debug, PartialEq)]
pub struct Subgraph {
    /// The name of the submodule in the exported program.
    pub name: String,
    /// What it computes.
    pub graph: Graph,
}

impl Operand {
    /// The value it is.
    pub fn value(&self) -> Option<ValueId> {
        if let Operand::Value(id) = self { Some(*id) } else { None }
    }

    /// The number it is, if it is known at export.
    pub fn number(&self) -> Option<f64> {
        match self {
            Operand::Int(value) => Some(*value as f64),
            Operand::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// The ints it lists, if all are known at export.
    pub fn as_ints(&self) -> Option<Vec<i64>> {
        let Operand::List(items) = self else { return None };
        let int = |item: &Operand| if let Operand::Int(value) = item { Some(*value) } else { None };
        items.iter().map(int).collect()
    }

    /// A list of ints known at export.
    pub fn ints(values: &[i64]) -> Operand {
        Operand::List(values.iter().copied().map(Operand::Int).collect())
    }

    /// Calls `visit` with every value that the operand names, in order. Graphs are closed and so not entered.
    pub fn for_each_value(&self, visit: &mut impl FnMut(ValueId)) {
        match self {
            Operand::Value(id) => visit(*id),
            Operand::List(items) => items.iter().for_each(|item| item.for_each_value(visit)),
            Operand::Map(items) => items.iter().for_each(|(_, item)| item.for_each_value(visit)),
            _ => {}
        }
    }

    /// The same with the right to change each value.
    pub fn for_each_value_mut(&mut self, visit: &mut impl FnMut(&mut ValueId)) {
        match self {
            Operand::Value(id) => visit(id),
            Operand::List(items) => items.iter_mut().for_each(|item| item.for_each_value_mut(visit)),
            Operand::Map(items) => items.iter_mut().for_each(|(_, item)| item.for_each_value_mut(visit)),
            _ => {}
        }
    }

    /// Calls `visit` with every graph in the operand, but not with the graphs inside those.
    pub fn for_each_graph(&self, visit: &mut impl FnMut(&Subgraph)) {
        match self {
            Operand::Graph(graph) => visit(graph),
            Operand::List(items) => items.iter().for_each(|item| item.for_each_graph(visit)),
            Operand::Map(items) => items.iter().for_each(|(_, item)| item.for_each_graph(visit)),
            _ => {}
        }
    }

    /// The same with the right to change each graph.
    pub fn for_each_graph_mut(&mut self, visit: &mut impl FnMut(&mut Subgraph)) {
        match self {
            Operand::Graph(graph) => visit(graph),
            Operand::List(items) => items.iter_mut().for_each(|item| item.for_each_graph_mut(visit)),
            Operand::Map(items) => items.iter_mut().for_each(|(_, item)| item.for_each_graph_mut(visit)),
            _ => {}
        }
    }

    /// Puts another operand in the place of each value that `replacement` has one for.
    pub fn replace(&mut self, replacement: &impl Fn(ValueId) -> Option<Operand>) {
        match self {
            Operand::Value(id) => {
                if let Some(other) = replacement(*id) {
                    *self = other;
                }
            }
            Operand::List(items) => items.iter_mut().for_each(|item| item.replace(replacement)),
            Operand::Map(items) => items.iter_mut().for_each(|(_, item)| item.replace(replacement)),
            _ => {}
        }
    }
}

impl From<ValueId> for Operand {
    fn from(value: ValueId) -> Operand {
        Operand::Value(value)
    }
}

impl From<Option<ValueId>> for Operand {
    fn from(value: Option<ValueId>) -> Operand {
        value.map_or(Operand::None, Operand::Value)
    }
}

impl From<i64> for Operand {
    fn from(value: i64) -> Operand {
        Operand::Int(value)
    }
}

impl From<f64> for Operand {
    fn from(value: f64) -> Operand {
        Operand::Float(value)
    }
}

impl From<&str> for Operand {
    fn from(text: &str) -> Operand {
        Operand::String(text.into())
    }
}

impl From<&[i64]> for Operand {
    fn from(values: &[i64]) -> Operand {
        Operand::ints(values)
    }
}
