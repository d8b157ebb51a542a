//! Renumbers values after a pass, in the order of their definition.

use super::{Graph, ValueId};

impl Graph {
    /// Drops values that nothing defines and numbers the rest in the order of their definition,
    /// here and in the graphs inside.
    ///
    /// Ids that name no value become invalid, so that [`Graph::verify`] refuses them.
    pub fn renumber(&mut self) {
        let order = self.definition_order();
        let mut new_ids = vec![None; self.values.len()];
        for (new, old) in (0..).zip(&order) {
            if let Some(slot) = new_ids.get_mut(old.index()) {
                *slot = Some(ValueId(new));
            }
        }
        let mut old_values: Vec<_> = std::mem::take(&mut self.values).into_iter().map(Some).collect();
        let kept = order.iter().filter_map(|old| old_values.get_mut(old.index()).and_then(Option::take));
        self.values = kept.collect();
        self.for_each_id_mut(&mut |id| {
            *id = new_ids.get(id.index()).copied().flatten().unwrap_or(ValueId(u32::MAX));
        });
        self.for_each_graph_mut(&mut |inner| inner.graph.renumber());
    }

    /// Returns each value once, in the order of its first definition.
    fn definition_order(&self) -> Vec<ValueId> {
        let mut seen = vec![false; self.values.len()];
        let ids = self.inputs.iter().copied().chain(self.nodes.iter().flat_map(|node| node.defined()));
        ids.filter(|id| seen.get_mut(id.index()).is_some_and(|seen| !std::mem::replace(seen, true))).collect()
    }

    /// Calls `change` with every id of a value in this graph.
    pub fn for_each_id_mut(&mut self, change: &mut impl FnMut(&mut ValueId)) {
        self.inputs.iter_mut().for_each(&mut *change);
        for node in &mut self.nodes {
            node.inputs.iter_mut().for_each(|argument| argument.value.for_each_value_mut(change));
            node.outputs.iter_mut().flat_map(super::Output::values_mut).for_each(&mut *change);
        }
        self.outputs.iter_mut().for_each(|output| output.for_each_value_mut(change));
    }

    /// Calls `change` with every graph that a node of this one runs, but not with the graphs inside
    /// those.
    pub fn for_each_graph_mut(&mut self, change: &mut dyn FnMut(&mut super::Subgraph)) {
        for node in &mut self.nodes {
            node.inputs
                .iter_mut()
                .for_each(|argument| argument.value.for_each_graph_mut(&mut |inner| change(inner)));
        }
    }
}
