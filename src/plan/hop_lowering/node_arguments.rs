//! Adds arguments to nodes and takes them out.

use crate::graph::{Argument, Operand};

/// Makes an argument by position.
pub fn unnamed(value: Operand) -> Argument {
    Argument { name: String::new(), keyword: None, value }
}

/// Makes an argument by name.
pub fn named(name: &str, value: Operand) -> Argument {
    Argument { name: name.into(), keyword: Some(true), value }
}

/// Removes the argument of this name and returns its value.
pub fn take(arguments: &mut Vec<Argument>, name: &str) -> Option<Operand> {
    let at = arguments.iter().position(|argument| argument.name == name)?;
    Some(arguments.remove(at).value)
}

/// Removes the argument of this name and returns its value. Fails if it is missing.
pub fn require(arguments: &mut Vec<Argument>, name: &str) -> Result<Operand, String> {
    take(arguments, name).ok_or_else(|| format!("the argument `{name}` is missing"))
}
