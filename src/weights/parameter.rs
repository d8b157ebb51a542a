//! Descriptions of a model's weights, for callers that swap them.

use crate::program::schema::ScalarType;
use crate::{Error, Result};
use std::collections::HashSet;

/// Parameter, buffer or constant of a program.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Fully qualified name, such as `layers.0.weight`.
    pub name: String,
    /// Kind of the weight in the exported module.
    pub kind: ParameterKind,
    /// Type of its elements.
    pub dtype: ScalarType,
    /// Sizes, in elements.
    pub sizes: Vec<i64>,
    /// Strides, in elements.
    pub strides: Vec<i64>,
}

/// Kind of a weight in the exported module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// Parameter.
    Parameter,
    /// Buffer of the state dict.
    Buffer,
    /// Buffer that is not in the state dict.
    TemporaryBuffer,
    /// Tensor that was a constant of the Python code.
    Constant,
}

/// Fails if a name is none of these weights. The message calls them `whose`.
pub fn require_known(
    parameters: &[Parameter],
    whose: &str,
    argument: &'static str,
    names: &[&str],
) -> Result<()> {
    let known: HashSet<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    match names.iter().find(|name| !known.contains(*name)) {
        None => Ok(()),
        Some(name) => Err(Error::Argument { argument, reason: unknown(name, parameters, whose) }),
    }
}

fn unknown(name: &str, parameters: &[Parameter], whose: &str) -> String {
    /// Most names that a message lists, so that it remains readable.
    const SHOWN: usize = 20;
    let mut names: Vec<&str> = parameters.iter().take(SHOWN).map(|known| known.name.as_str()).collect();
    if parameters.len() > SHOWN {
        names.push("…");
    }
    let name = name.escape_debug();
    match names.as_slice() {
        [] => format!("`{name}` is none of {whose}, of which there are none"),
        names => format!("`{name}` is none of {whose}: {}", names.join(", ")),
    }
}

/// Fails if a name occurs twice.
pub fn require_distinct(argument: &'static str, names: &[&str]) -> Result<()> {
    let mut seen = HashSet::new();
    match names.iter().find(|name| !seen.insert(**name)) {
        None => Ok(()),
        Some(name) => Err(Error::Argument { argument, reason: format!("`{name}` is named twice") }),
    }
}

/// Returns the error for sharing weights with another program's model.
pub fn not_a_clone() -> Error {
    let reason = "it is neither a clone of the model nor what the model is a clone of".into();
    Error::Argument { argument: "source", reason }
}
