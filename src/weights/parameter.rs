//! What the weights of a model are, for people who want to give it others.

use crate::program::schema::ScalarType;
use crate::{Error, Result};
use std::collections::HashSet;

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

/// Refuses a name that none of these weights has. `whose` they are is for the message.
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
    /// More would hide the answer.
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

/// Refuses a name that comes twice.
pub fn require_distinct(argument: &'static str, names: &[&str]) -> Result<()> {
    let mut seen = HashSet::new();
    match names.iter().find(|name| !seen.insert(**name)) {
        None => Ok(()),
        Some(name) => Err(Error::Argument { argument, reason: format!("`{name}` is named twice") }),
    }
}

/// Refuses to give a model the weights of another program.
pub fn not_a_clone() -> Error {
    let reason = "it is neither a clone of the model nor what the model is a clone of".into();
    Error::Argument { argument: "source", reason }
}
