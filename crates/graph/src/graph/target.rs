//! Call targets of nodes. This is the only place that parses their names.

use crate::{Error, Result};
use std::fmt;

/// Operator or function that a node calls.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Target {
    /// Operator of the dispatcher, such as `aten::add.Tensor`.
    Operator {
        /// Library, such as `aten`.
        namespace: String,
        /// Operator, such as `add`.
        name: String,
        /// Overload as Python writes it: `default` where the operator's schema has no overload
        /// name.
        overload: String,
    },
    /// Python function on sizes and other numbers, such as `_operator.add` or `math.trunc`.
    Python(String),
    /// Higher-order operator, such as `cond`.
    HigherOrder(String),
}

impl Target {
    /// Parses a target in the archive's spelling, such as `torch.ops.aten.add.Tensor`.
    pub fn parse(text: &str) -> Result<Target> {
        let parts: Vec<&str> = text.split('.').collect();
        if !parts.iter().all(|part| is_name(part)) {
            return Err(unknown(text));
        }
        match parts.as_slice() {
            ["torch", "ops", "higher_order", name] | ["torch", "_higher_order_ops", .., name] => {
                Ok(Target::HigherOrder((*name).into()))
            }
            ["torch", "ops", "higher_order", ..] => Err(unknown(text)),
            ["torch", "ops", namespace, name, overload] => Ok(Target::operator(namespace, name, overload)),
            ["torch", "ops", ..] => Err(unknown(text)),
            ["_operator" | "math" | "builtins" | "torch", _, ..] => Ok(Target::Python(text.into())),
            _ => Err(unknown(text)),
        }
    }

    /// Creates the target for an operator of the dispatcher.
    pub fn operator(namespace: &str, name: &str, overload: &str) -> Target {
        Target::Operator { namespace: namespace.into(), name: name.into(), overload: overload.into() }
    }

    /// Returns true if the target is this higher-order operator.
    pub fn is_higher_order(&self, wanted: &str) -> bool {
        matches!(self, Target::HigherOrder(name) if name == wanted)
    }
}

/// Writes `aten::add.Tensor` as in the dispatcher, `_operator.add` as in Python,
/// `higher_order::cond`.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Operator { namespace, name, overload } => write!(f, "{namespace}::{name}.{overload}"),
            Target::Python(name) => f.write_str(name),
            Target::HigherOrder(name) => write!(f, "higher_order::{name}"),
        }
    }
}

/// Returns true if the text is a part of a target's name: letters, digits and underscores.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn unknown(text: &str) -> Error {
    Error::Unsupported { what: format!("the call target `{}`", text.escape_debug()) }
}

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn names_are_taken_apart() {
        for (text, shown) in [
            ("torch.ops.aten.add.Tensor", "aten::add.Tensor"),
            ("torch.ops.my_lib.op.default", "my_lib::op.default"),
            ("torch.ops.higher_order.cond", "higher_order::cond"),
            ("torch._higher_order_ops.while_loop.while_loop", "higher_order::while_loop"),
            ("_operator.floordiv", "_operator.floordiv"),
            ("math.trunc", "math.trunc"),
            ("torch.sym_float", "torch.sym_float"),
        ] {
            assert_eq!(Target::parse(text).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn other_names_are_refused_by_name() {
        for text in [
            "",
            "torch",
            "torch.ops.aten.add",
            "torch.ops.a.b.c.d",
            "#ns:op",
            "os.system",
            "torch..x",
            "torch.ops.a b.c.d",
        ] {
            let error = Target::parse(text).unwrap_err().to_string();
            assert!(error.contains(text), "{error}");
        }
    }
}
