//! Values: inputs of a graph and results of its nodes.

use crate::program::schema::TensorMeta;

/// Index of a value in its graph's [`values`](super::Graph::values).
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug, PartialOrd, Ord)]
pub struct ValueId(pub u32);

impl ValueId {
    /// Returns the position in a slice that has one element a value.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Value of a graph. It is defined once: by an input of the graph or by an output of one node.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// Name in the exported program, unique within the graph. Used for display and errors only.
    pub name: String,
    /// Type of the value.
    pub kind: ValueKind,
    /// Number of the weight's storage, once it is known. Weights with the same number share memory.
    pub storage: Option<u32>,
}

/// Type of a value at run time.
#[derive(Clone, Debug, PartialEq)]
pub enum ValueKind {
    /// Tensor, with the metadata that the exporter recorded.
    Tensor(Option<TensorMeta>),
    /// Integer known only at run time, such as a size.
    Int,
    /// Float known only at run time.
    Float,
    /// Bool known only at run time.
    Bool,
    /// Instance of a custom C++ class.
    Object {
        /// Class with its namespace.
        class: String,
    },
    /// Effect token, which orders side effects and holds no data.
    Token,
    /// Input whose value was fixed at export: Python's `None`, a string or a number. No node reads
    /// it.
    Constant,
}

impl ValueKind {
    /// Returns the kind in one word, as messages and the text form show it.
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
