//! Lowers pinned memory to ordinary memory.
//!
//! Pinning speeds up copies on the exporter's machine; the program's results do not depend on it.

use crate::graph::{Node, Operand, Target};

/// Returns true if a node asks for pinned memory.
pub fn pins(node: &Node) -> bool {
    node.is_aten("pin_memory")
        || node.is_aten("_pin_memory")
        || node.argument("pin_memory") == Some(&Operand::Bool(true))
}

/// Rewrites a node to use ordinary memory. `pin_memory` returns a copy, so it becomes a clone.
pub fn unpin(node: &mut Node) {
    if node.is_aten("pin_memory") || node.is_aten("_pin_memory") {
        node.target = Target::operator("aten", "clone", "default");
        node.inputs.truncate(1);
    } else {
        node.set_argument("pin_memory", Operand::Bool(false));
    }
}
