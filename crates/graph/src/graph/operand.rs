//! Operands: the arguments of a node, and the outputs of a graph.

use super::{Graph, ValueId};
use crate::program::schema::{Device, Layout, MemoryFormat, ScalarType};

/// Value or constant.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// Python's `None`.
    None,
    /// Value of the same graph.
    Value(ValueId),
    /// Bool known at export.
    Bool(bool),
    /// Integer known at export.
    Int(i64),
    /// Float known at export.
    Float(f64),
    /// Complex number known at export: real and imaginary part.
    Complex(f64, f64),
    /// String.
    String(String),
    /// Dtype.
    ScalarType(ScalarType),
    /// Memory format.
    MemoryFormat(MemoryFormat),
    /// Layout.
    Layout(Layout),
    /// Device of the exporting machine.
    Device(Device),
    /// Any list. Its elements may be `None`, values, constants or lists.
    List(Vec<Operand>),
    /// Dictionary with strings as keys.
    Map(Vec<(String, Operand)>),
    /// Graph that a higher-order operator runs.
    Graph(Box<Subgraph>),
    /// Operator passed by name.
    Operator(String),
}

/// Graph passed as an operand. It is closed: its nodes read its own inputs and no value of the
/// outer graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Subgraph {
    /// Name of the submodule in the exported program.
    pub name: String,
    /// Graph of the submodule.
    pub graph: Graph,
}

impl Operand {
    /// Returns the id if the operand is a value.
    pub fn value(&self) -> Option<ValueId> {
        if let Operand::Value(id) = self { Some(*id) } else { None }
    }

    /// Returns the number if the operand is an int or a float known at export.
    pub fn number(&self) -> Option<f64> {
        match self {
            Operand::Int(value) => Some(*value as f64),
            Operand::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// Returns the ints if the operand is a list of ints that are all known at export.
    pub fn as_ints(&self) -> Option<Vec<i64>> {
        let Operand::List(items) = self else { return None };
        let int = |item: &Operand| if let Operand::Int(value) = item { Some(*value) } else { None };
        items.iter().map(int).collect()
    }

    /// Creates a list of ints known at export.
    pub fn ints(values: &[i64]) -> Operand {
        Operand::List(values.iter().copied().map(Operand::Int).collect())
    }

    /// Calls `visit` with every value that the operand names, in order. Graphs are closed and
    /// therefore not entered.
    pub fn for_each_value(&self, visit: &mut impl FnMut(ValueId)) {
        match self {
            Operand::Value(id) => visit(*id),
            Operand::List(items) => items.iter().for_each(|item| item.for_each_value(visit)),
            Operand::Map(items) => items.iter().for_each(|(_, item)| item.for_each_value(visit)),
            _ => {}
        }
    }

    /// Calls `visit` with every value that the operand names, mutable, in order.
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

    /// Calls `visit` with every graph in the operand, mutable, but not with the graphs inside
    /// those.
    pub fn for_each_graph_mut(&mut self, visit: &mut impl FnMut(&mut Subgraph)) {
        match self {
            Operand::Graph(graph) => visit(graph),
            Operand::List(items) => items.iter_mut().for_each(|item| item.for_each_graph_mut(visit)),
            Operand::Map(items) => items.iter_mut().for_each(|(_, item)| item.for_each_graph_mut(visit)),
            _ => {}
        }
    }

    /// Replaces each value for which `replacement` returns an operand.
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
