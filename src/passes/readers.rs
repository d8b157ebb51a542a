//! Who reads a value.

use crate::graph::{Graph, ValueId};

/// The nodes that read each value.
pub struct Readers {
    nodes: Vec<Vec<usize>>,
    returned: Vec<bool>,
}

impl Readers {
    /// Collects every read of a graph.
    pub fn of(graph: &Graph) -> Readers {
        let count = graph.values.len();
        let mut readers = Readers { nodes: vec![Vec::new(); count], returned: vec![false; count] };
        for (index, node) in graph.nodes.iter().enumerate() {
            node.for_each_use(&mut |value| {
                readers.nodes.get_mut(value.index()).into_iter().for_each(|to| to.push(index))
            });
        }
        let mut mark =
            |id: ValueId| readers.returned.get_mut(id.index()).into_iter().for_each(|to| *to = true);
        graph.outputs.iter().for_each(|output| output.for_each_value(&mut mark));
        readers
    }

    /// The nodes that read the value, by position, once for each read.
    pub fn nodes(&self, value: ValueId) -> &[usize] {
        self.nodes.get(value.index()).map_or(&[], Vec::as_slice)
    }

    /// Whether the graph returns it.
    pub fn returned(&self, value: ValueId) -> bool {
        self.returned.get(value.index()).copied().unwrap_or(true)
    }

    /// The one node that reads the value, if nobody else does.
    pub fn sole(&self, value: ValueId) -> Option<usize> {
        match self.nodes(value) {
            [node] if !self.returned(value) => Some(*node),
            _ => None,
        }
    }

    /// Whether nobody reads the value.
    pub fn nobody(&self, value: ValueId) -> bool {
        self.nodes(value).is_empty() && !self.returned(value)
    }
}
