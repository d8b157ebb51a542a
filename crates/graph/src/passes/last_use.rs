//! Last-use analysis (liveness): finds operands whose memory a node may overwrite in place.

use super::alias::AliasAnalysis;
use super::constant_analysis::ConstantSet;
use crate::graph::{Function, Graph, Node, ValueId};
use std::collections::HashMap;

/// Aliases, constants and last uses of a function's memory.
pub struct LastUse {
    aliases: AliasAnalysis,
    constants: ConstantSet,
    reads: LastReads,
}

impl LastUse {
    /// Analyses every node once.
    pub fn of(function: &Function) -> LastUse {
        let aliases = AliasAnalysis::of_function(function);
        let constants = ConstantSet::of(function, &aliases);
        let reads = LastReads::of(&function.graph, &aliases);
        LastUse { aliases, constants, reads }
    }

    /// Returns true if this node is the last to read the value's memory, and the memory is not
    /// shared, constant or returned.
    pub fn is_last(&self, index: usize, node: &Node, value: ValueId) -> bool {
        self.aliases.is_fresh(value)
            && !self.aliases.returned(value)
            && !self.constants.contains(value)
            && self.reads.end_once_at(index, value, node, &self.aliases)
    }
}

/// Positions of the last reads of each memory.
struct LastReads {
    of: HashMap<ValueId, usize>,
    /// Last read of memory with unknown roots.
    of_unknown: usize,
}

impl LastReads {
    fn of(graph: &Graph, aliases: &AliasAnalysis) -> LastReads {
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

    /// Returns true if no later node reads the value's memory, and the node reads it through one
    /// argument only.
    fn end_once_at(&self, index: usize, value: ValueId, node: &Node, aliases: &AliasAnalysis) -> bool {
        let mut readings = 0;
        node.for_each_use(&mut |read| {
            let roots = aliases.roots(read);
            readings += usize::from(roots.as_ref().is_none_or(|roots| roots.contains(&value)));
        });
        readings == 1 && self.of.get(&value) == Some(&index) && self.of_unknown < index
    }
}
