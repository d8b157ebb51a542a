//! Rewriter: visits the nodes of a graph in order and replaces each by others or none.

use super::{Graph, Node, Operand, UniqueNames, ValueId, ValueKind};
use crate::program::schema::TensorMeta;
use std::collections::HashMap;

/// A graph while its nodes are written anew. A node comes with its operands as they are meant by now.
pub struct Rewriter<'a> {
    graph: &'a mut Graph,
    names: UniqueNames,
    replaced: HashMap<ValueId, Operand>,
}

impl Graph {
    /// Hands every node to `each`, in order, which writes what stands in its place. Values that nothing defines
    /// any more are left for [`Graph::renumber`].
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
    /// Adds a node at the end of what is written.
    pub fn push(&mut self, node: Node) {
        self.graph.nodes.push(node);
    }

    /// A new value of this kind, called by this name or, if it is taken, one like it.
    pub fn value(&mut self, name: &str, kind: ValueKind) -> ValueId {
        self.names.add(self.graph, name, kind)
    }

    /// Puts an operand in the place of a value wherever it is read from here on.
    pub fn replace(&mut self, value: ValueId, operand: Operand) {
        if operand != Operand::Value(value) {
            self.replaced.insert(value, operand);
        }
    }

    /// Whether a value is a tensor.
    pub fn is_tensor(&self, value: ValueId) -> bool {
        matches!(self.kind(value), Some(ValueKind::Tensor(_)))
    }

    /// What a value is; None for one that the graph does not have.
    pub fn kind(&self, value: ValueId) -> Option<&ValueKind> {
        self.graph.value(value).map(|value| &value.kind)
    }

    /// The name of a value.
    pub fn name(&self, value: ValueId) -> String {
        self.graph.value(value).map(|value| value.name.clone()).unwrap_or_default()
    }

    /// A new value of the name and kind of another.
    pub fn twin(&mut self, value: ValueId) -> ValueId {
        let kind = self.kind(value).cloned().unwrap_or(ValueKind::Tensor(None));
        self.value(&self.name(value), kind)
    }

    /// What the exporter knew of a tensor.
    pub fn meta(&self, value: ValueId) -> Option<&TensorMeta> {
        self.graph.meta(value)
    }

    fn resolve(&self, operand: &mut Operand) {
        operand.replace(&|id| self.replaced.get(&id).cloned());
    }
}
