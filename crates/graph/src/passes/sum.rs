//! Sums of two tensors.

use crate::graph::{Node, Operand, Target, ValueId};

/// Sum `left + right`.
pub struct Sum {
    /// First operand.
    pub left: ValueId,
    /// Second operand.
    pub right: ValueId,
    /// True if the result is written over `left`.
    pub in_place: bool,
}

impl Sum {
    /// Returns the sum that a node is, if neither operand is multiplied by a factor.
    pub fn of(node: &Node) -> Option<Sum> {
        let Target::Operator { namespace, name, overload } = &node.target else { return None };
        let in_place = name == "add_";
        if namespace != "aten" || overload != "Tensor" || !(in_place || name == "add") {
            return None;
        }
        let unscaled = node.argument("alpha").is_none_or(|alpha| alpha.number() == Some(1.0));
        let value = |name: &str| node.argument(name).and_then(Operand::value);
        let (left, right) = (value("self")?, value("other")?);
        unscaled.then_some(Sum { left, right, in_place })
    }

    /// Returns the operand that is not this value.
    pub fn other_than(&self, value: ValueId) -> Option<ValueId> {
        match (self.left == value, self.right == value) {
            (true, false) => Some(self.right),
            (false, true) => Some(self.left),
            _ => None,
        }
    }
}
