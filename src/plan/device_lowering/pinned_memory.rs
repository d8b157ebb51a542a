//! Page-locked memory, which is the exporting machine's way to copy to its device: no meaning of the program.

use crate::graph::{Node, Operand, Target};

/// Whether a node asks for it.
pub fn pins(node: &Node) -> bool {
    node.is_aten("pin_memory")
        || node.is_aten("_pin_memory")
        || node.argument("pin_memory") == Some(&Operand::Bool(true))
}

/// The same in ordinary memory. What was pinned was a copy.
pub fn unpin(node: &mut Node) {
    if node.is_aten("pin_memory") || node.is_aten("_pin_memory") {
        node.target = Target::operator("aten", "clone", "default");
        node.inputs.truncate(1);
    } else {
        node.set_argument("pin_memory", Operand::Bool(false));
    }
}
