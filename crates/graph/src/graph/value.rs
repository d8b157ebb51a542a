//! Values: what a graph takes in, and what its nodes compute.

use crate::program::schema::TensorMeta;

/// The index of a value in its graph's [`values`](super::Graph::values).
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug, PartialOrd, Ord)]
pub struct ValueId(pub u32);

impl ValueId {
    /// The position in a slice that has one element a value.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One value of a graph. It is defined once: by an input of the graph or by an output of one node.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// The name in the exported program, unique within the graph. For people and errors only.
    pub name: String,
    /// What the value is.
    pub kind: ValueKind,
    /// Of a weight the number of its storage, once it is known; those with the same number share memory.
    pub storage: Option<u32>,
}

/// What a value is at run time.
#[derive(Clone, Debug, PartialEq)]
pub enum ValueKind {
    /// A tensor, with what the exporter knew about it.
    Tensor(Option<TensorMeta>),
    /// An integer known only at run time, such as a size.
    Int,
    /// A float known only at run time.
    Float,
    /// A bool known only at run time.
    Bool,
    /// An instance of a custom C++ class.
    Object {
        /// The class with its namespace.
        class: String,
    },
    /// An effect token, which orders side effects and holds no data.
    Token,
    /// An input whose value was fixed at export: Python's `None`, a string or a number. No node reads it.
    Constant,
}

impl ValueKind {
    /// The kind in one word, as in messages and in the text form.
    pub fn word(&self) -> &'static str {
        match self {
            ValueKind::Tensor(_) => "tensor",
            ValueKind::Int => "int",
            ValueKind::Float => "float",
            ValueKind::Bool => "bool",
            ValueKind::Object { .. } => "object",
            ValueKind::Token => "token",
            ValueKind::Constant => "constant",
        }
    }
}
