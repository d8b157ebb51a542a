//! Arguments that are written into a graph, and those that are taken out of a node.

use crate::graph::{Argument, Operand};

/// An argument by position.
pub fn unnamed(value: Operand) -> Argument {
    Argument { name: String::new(), keyword: None, value }
}

/// An argument by name.
pub fn named(name: &str, value: Operand) -> Argument {
    Argument { name: name.into(), keyword: Some(true), value }
}

/// Takes the argument of this name out.
pub fn take(arguments: &mut Vec<Argument>, name: &str) -> Option<Operand> {
    let at = arguments.iter().position(|argument| argument.name == name)?;
    Some(arguments.remove(at).value)
}

/// Takes the argument of this name out, which must be there.
pub fn require(arguments: &mut Vec<Argument>, name: &str) -> Result<Operand, String> {
    take(arguments, name).ok_or_else(|| format!("the argument `{name}` is missing"))
}
