//! Whose memory nobody needs any more after a node.

use super::aliases::Aliases;
use crate::graph::{Graph, Node, ValueId};
use std::collections::HashMap;

/// Where each memory is read last.
pub struct LastReads {
    of: HashMap<ValueId, usize>,
    /// Of memory that nothing is known of.
    of_unknown: usize,
}

impl LastReads {
    /// Follows every node once.
    pub fn of(graph: &Graph, aliases: &Aliases) -> LastReads {
        let mut last = LastReads { of: HashMap::new(), of_unknown: 0 };
        for (index, node) in graph.nodes.iter().enumerate() {
            node.for_each_use(&mut |value| match aliases.roots(value) {
                Some(roots) => roots.iter().for_each(|root| {
                    last.of.insert(*root, index);
                }),
                None => last.of_unknown = index,
            });
        }
        last
    }

    /// Whether nothing after the node reads the memory of the value, and the node itself only as that value.
    pub fn end_once_at(&self, index: usize, value: ValueId, node: &Node, aliases: &Aliases) -> bool {
        let mut readings = 0;
        node.for_each_use(&mut |read| {
            let roots = aliases.roots(read);
            readings += usize::from(roots.as_ref().is_none_or(|roots| roots.contains(&value)));
        });
        readings == 1 && self.of.get(&value) == Some(&index) && self.of_unknown < index
    }
}
