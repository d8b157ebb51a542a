//! Use lists: the nodes that read each value.

use crate::graph::{Graph, ValueId};

/// Users of each value.
pub struct Uses {
    users: Vec<Vec<usize>>,
    returned: Vec<bool>,
}

impl Uses {
    /// Collects every read of a graph.
    pub fn of(graph: &Graph) -> Uses {
        let count = graph.values.len();
        let mut uses = Uses { users: vec![Vec::new(); count], returned: vec![false; count] };
        for (index, node) in graph.nodes.iter().enumerate() {
            node.for_each_use(&mut |value| {
                if let Some(to) = uses.users.get_mut(value.index()) {
                    to.push(index);
                }
            });
        }
        let mut mark = |id: ValueId| {
            if let Some(returned) = uses.returned.get_mut(id.index()) {
                *returned = true;
            }
        };
        graph.outputs.iter().for_each(|output| output.for_each_value(&mut mark));
        uses
    }

    /// Returns the positions of the nodes that read the value, once for each read.
    pub fn users(&self, value: ValueId) -> &[usize] {
        self.users.get(value.index()).map_or(&[], Vec::as_slice)
    }

    /// Returns true if the graph returns the value.
    pub fn is_returned(&self, value: ValueId) -> bool {
        self.returned.get(value.index()).copied().unwrap_or(true)
    }

    /// Returns the node that reads the value, if it is the only use.
    pub fn single_user(&self, value: ValueId) -> Option<usize> {
        match self.users(value) {
            [node] if !self.is_returned(value) => Some(*node),
            _ => None,
        }
    }

    /// Returns true if the value has no uses.
    pub fn is_unused(&self, value: ValueId) -> bool {
        self.users(value).is_empty() && !self.is_returned(value)
    }
}
