//! Rewriter: visits the nodes of a graph in order and replaces each by others or none.

use super::{Graph, Node, Operand, UniqueNames, ValueId, ValueKind};
use crate::program::schema::TensorMeta;
use std::collections::HashMap;

/// Graph whose nodes are being rewritten. Operands of a node that is passed to the callback already
/// include earlier replacements.
pub struct Rewriter<'a> {
    graph: &'a mut Graph,
    names: UniqueNames,
    replaced: HashMap<ValueId, Operand>,
}

impl Graph {
    /// Calls `each` with every node, in order. `each` pushes the nodes that replace it.
    ///
    /// Values that nothing defines any more remain in the graph until [`Graph::renumber`].
    pub fn rewrite<E>(
        &mut self,
        mut each: impl FnMut(&mut Rewriter<'_>, Node) -> Result<(), E>,
    ) -> Result<(), E> {
        let nodes = std::mem::take(&mut self.nodes);
        let names = UniqueNames::of(self);
        let mut rewriter = Rewriter { graph: self, names, replaced: HashMap::new() };
        for mut node in nodes {
            node.inputs.iter_mut().for_each(|argument| rewriter.resolve(&mut argument.value));
            each(&mut rewriter, node)?;
        }
        let mut outputs = std::mem::take(&mut rewriter.graph.outputs);
        outputs.iter_mut().for_each(|output| rewriter.resolve(output));
        self.outputs = outputs;
        Ok(())
    }
}

impl Rewriter<'_> {
    /// Appends a node to the rewritten graph.
    pub fn push(&mut self, node: Node) {
        self.graph.nodes.push(node);
    }

    /// Adds a value of this kind under this name or, if the name is taken, under a numbered one.
    pub fn value(&mut self, name: &str, kind: ValueKind) -> ValueId {
        self.names.add(self.graph, name, kind)
    }

    /// Replaces a value by an operand in every later use.
    pub fn replace(&mut self, value: ValueId, operand: Operand) {
        if operand != Operand::Value(value) {
            self.replaced.insert(value, operand);
        }
    }

    /// Returns true if the value is a tensor.
    pub fn is_tensor(&self, value: ValueId) -> bool {
        matches!(self.kind(value), Some(ValueKind::Tensor(_)))
    }

    /// Returns the kind of a value, or None if the graph does not have the value.
    pub fn kind(&self, value: ValueId) -> Option<&ValueKind> {
        self.graph.value(value).map(|value| &value.kind)
    }

    /// Returns the name of a value.
    pub fn name(&self, value: ValueId) -> String {
        self.graph.value(value).map(|value| value.name.clone()).unwrap_or_default()
    }

    /// Adds a value with the name and kind of another.
    pub fn twin(&mut self, value: ValueId) -> ValueId {
        let kind = self.kind(value).cloned().unwrap_or(ValueKind::Tensor(None));
        self.value(&self.name(value), kind)
    }

    /// Returns the metadata that the exporter recorded for a tensor.
    pub fn meta(&self, value: ValueId) -> Option<&TensorMeta> {
        self.graph.meta(value)
    }

    fn resolve(&self, operand: &mut Operand) {
        operand.replace(&|id| self.replaced.get(&id).cloned());
    }
}
