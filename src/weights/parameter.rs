//! What the weights of a model are, for people who want to give it others.

use crate::program::schema::ScalarType;

/// A parameter, buffer or constant of a program.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// The fully qualified name, such as `layers.0.weight`.
    pub name: String,
    /// What it was in the exported module.
    pub kind: ParameterKind,
    /// The type of its elements.
    pub dtype: ScalarType,
    /// Its sizes, in elements.
    pub sizes: Vec<i64>,
    /// Its strides, in elements.
    pub strides: Vec<i64>,
}

/// What a weight was in the exported module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// A parameter.
    Parameter,
    /// A buffer of the state dict.
    Buffer,
    /// A buffer that is not in the state dict.
    TemporaryBuffer,
    /// A tensor that was a constant of the Python code.
    Constant,
}
