//! Edits of a graph's nodes by position, applied together.

use super::changed::Changed;
use crate::graph::{Argument, Author, Graph, Node, Operand, Output, Target, UniqueNames, ValueId, ValueKind};
use crate::program::schema::TensorMeta;
use std::collections::{HashMap, HashSet};

/// Edits of a graph's nodes by their positions before the first edit.
pub struct GraphEdit<'a> {
    graph: &'a mut Graph,
    /// Names of the graph, collected when a new value first needs one.
    names: Option<UniqueNames>,
    before: HashMap<usize, Vec<Node>>,
    after: HashMap<usize, Node>,
    removed: HashSet<usize>,
    replaced: HashMap<ValueId, Operand>,
}

impl<'a> GraphEdit<'a> {
    /// Starts without edits.
    pub fn new(graph: &'a mut Graph) -> GraphEdit<'a> {
        let (before, after) = (HashMap::new(), HashMap::new());
        GraphEdit { graph, names: None, before, after, removed: HashSet::new(), replaced: HashMap::new() }
    }

    /// Inserts a call before a node, and returns its result.
    pub fn insert(&mut self, at: usize, name: &str, meta: Option<TensorMeta>, call: CallBuilder) -> ValueId {
        let result = self.tensor(name, meta);
        let name = self.graph.value(result).map(|value| value.name.clone()).unwrap_or_default();
        let node = Node { author: Author::Pass, ..call.node(name, result, None) };
        self.before.entry(at).or_default().push(node);
        result
    }

    /// Inserts a call before a node. The call returns a list of this many tensors.
    pub fn insert_list(&mut self, at: usize, name: &str, count: usize, call: CallBuilder) -> Vec<ValueId> {
        let results: Vec<ValueId> = (0..count).map(|_| self.tensor(name, None)).collect();
        let first = results.first().and_then(|id| self.graph.value(*id));
        let name = first.map(|value| value.name.clone()).unwrap_or_default();
        let outputs = vec![Output::List(results.iter().copied().map(Some).collect())];
        let node = Node { author: Author::Pass, outputs, ..call.node(name, ValueId(0), None) };
        self.before.entry(at).or_default().push(node);
        results
    }

    /// Replaces a node.
    pub fn replace(&mut self, at: usize, node: Node) {
        self.after.insert(at, node);
    }

    /// Changes a node, including its earlier edits.
    pub fn edit(&mut self, at: usize, change: impl FnOnce(&mut Node)) {
        let Some(original) = self.graph.nodes.get(at) else { return };
        change(self.after.entry(at).or_insert_with(|| original.clone()));
    }

    /// Returns the metadata that the exporter recorded for a tensor.
    pub fn meta(&self, value: ValueId) -> Option<TensorMeta> {
        self.graph.meta(value).cloned()
    }

    /// Removes a node.
    pub fn remove(&mut self, at: usize) {
        self.removed.insert(at);
    }

    /// Replaces a value by another wherever it is read.
    pub fn substitute(&mut self, value: ValueId, other: ValueId) {
        self.replaced.insert(value, Operand::Value(other));
    }

    /// Adds a tensor that no node defines yet.
    pub fn tensor(&mut self, name: &str, meta: Option<TensorMeta>) -> ValueId {
        let names = self.names.get_or_insert_with(|| UniqueNames::of(self.graph));
        names.add(self.graph, name, ValueKind::Tensor(meta))
    }

    /// Applies the edits.
    pub fn finish(mut self) -> Changed {
        let untouched = self.before.is_empty() && self.after.is_empty() && self.removed.is_empty();
        if untouched && self.replaced.is_empty() {
            return Changed::No;
        }
        let nodes = std::mem::take(&mut self.graph.nodes);
        let mut edited = Vec::with_capacity(nodes.len());
        for (index, node) in nodes.into_iter().enumerate() {
            edited.extend(self.before.remove(&index).unwrap_or_default());
            match self.after.remove(&index) {
                Some(other) => edited.push(other),
                None if self.removed.contains(&index) => {}
                None => edited.push(node),
            }
        }
        // Insertions after the last node, which only the outputs read.
        edited.extend(self.before.into_values().flatten());
        self.graph.nodes = edited;
        if !self.replaced.is_empty() {
            substitute(self.graph, &self.replaced);
        }
        Changed::Yes
    }
}

/// Replaces values everywhere. A replacement may itself be replaced.
fn substitute(graph: &mut Graph, replaced: &HashMap<ValueId, Operand>) {
    let last = |id: ValueId| {
        let mut found = replaced.get(&id)?;
        while let Some(further) = found.value().and_then(|id| replaced.get(&id)) {
            found = further;
        }
        Some(found.clone())
    };
    for node in &mut graph.nodes {
        node.inputs.iter_mut().for_each(|argument| argument.value.replace(&last));
    }
    graph.outputs.iter_mut().for_each(|output| output.replace(&last));
}

/// Builder of an operator call that a pass inserts.
pub struct CallBuilder {
    target: Target,
    inputs: Vec<Argument>,
}

impl CallBuilder {
    /// Calls an operator of `aten`.
    pub fn aten(name: &str, overload: &str) -> CallBuilder {
        CallBuilder::of("aten", name, overload)
    }

    /// Calls any operator.
    pub fn of(namespace: &str, name: &str, overload: &str) -> CallBuilder {
        CallBuilder { target: Target::operator(namespace, name, overload), inputs: Vec::new() }
    }

    /// Adds an argument.
    pub fn with(mut self, name: &str, value: impl Into<Operand>) -> CallBuilder {
        self.inputs.push(Argument { name: name.into(), keyword: None, value: value.into() });
        self
    }

    /// Builds a node with one result. Its author is the exporter, because a node that replaces
    /// another takes its arguments.
    pub fn node(self, name: String, result: ValueId, trace: Option<String>) -> Node {
        let CallBuilder { target, inputs } = self;
        Node { name, target, inputs, outputs: vec![Output::Value(result)], trace, author: Author::Exporter }
    }

    /// Builds a node that replaces another and computes its result.
    pub fn instead_of(self, node: &Node, result: ValueId) -> Node {
        self.node(node.name.clone(), result, node.trace.clone())
    }
}
