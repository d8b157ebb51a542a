//! Alias analysis: values that may share memory, and the nodes that write to it.

use super::op_effects::OpEffect;
use crate::graph::{Function, Graph, Node, Operand, ValueId};
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::rc::Rc;

/// Values that may own a value's memory. None if the memory is unknown.
pub type Roots = Option<Rc<[ValueId]>>;

/// Maximum number of roots. A value with more counts as unknown memory.
const MOST_ROOTS: usize = 64;

/// Aliases and writes of one graph's values.
pub struct AliasAnalysis {
    roots: Vec<Roots>,
    writes: Vec<(usize, Roots)>,
    written: MemorySet,
    returned: MemorySet,
    given: MemorySet,
}

/// Set of memories, by the values that own them.
#[derive(Default)]
struct MemorySet {
    owners: HashSet<ValueId>,
    /// True if the set includes unknown memory.
    unknown: bool,
}

impl MemorySet {
    fn add(&mut self, roots: &Roots) {
        match roots {
            Some(roots) => self.owners.extend(roots.iter()),
            None => self.unknown = true,
        }
    }

    fn meet(&self, roots: &Roots) -> bool {
        match roots {
            Some(roots) => {
                (self.unknown && !roots.is_empty()) || roots.iter().any(|root| self.owners.contains(root))
            }
            None => self.unknown || !self.owners.is_empty(),
        }
    }
}

impl AliasAnalysis {
    /// Analyses every node of a function, and the outputs that are copied back into its inputs.
    pub fn of_function(function: &Function) -> AliasAnalysis {
        let mut aliases = AliasAnalysis::of(&function.graph);
        for output in &function.outputs {
            let input = function.mutated_input(output).and_then(|index| function.graph.inputs.get(index));
            let Some(roots) = input.map(|input| aliases.roots(*input).clone()) else { continue };
            aliases.written.add(&roots);
            aliases.writes.push((function.graph.nodes.len(), roots));
        }
        aliases
    }

    /// Analyses every node. Weights of one storage share memory.
    pub fn of(graph: &Graph) -> AliasAnalysis {
        let mut aliases = AliasAnalysis {
            roots: vec![None; graph.values.len()],
            writes: Vec::new(),
            written: MemorySet::default(),
            returned: MemorySet::default(),
            given: MemorySet::default(),
        };
        let mut first = HashMap::new();
        for input in &graph.inputs {
            let storage = graph.value(*input).and_then(|value| value.storage);
            let root = storage.map_or(*input, |storage| *first.entry(storage).or_insert(*input));
            aliases.set(*input, own(root));
            aliases.given.add(&own(root));
        }
        for (index, node) in graph.nodes.iter().enumerate() {
            aliases.follow(index, node);
        }
        for output in &graph.outputs {
            let roots = aliases.of_operand(output);
            aliases.returned.add(&roots);
        }
        aliases
    }

    /// Returns the values that may own the value's memory.
    pub fn roots(&self, value: ValueId) -> &Roots {
        self.roots.get(value.index()).unwrap_or(&None)
    }

    /// Returns true if any of the nodes, by position, may write to the value's memory.
    pub fn written(&self, value: ValueId, nodes: Range<usize>) -> bool {
        let from = self.writes.partition_point(|(index, _)| *index < nodes.start);
        let inside = self.writes.iter().skip(from).take_while(|(index, _)| *index < nodes.end);
        inside.into_iter().any(|(_, roots)| overlap(roots, self.roots(value)))
    }

    /// Returns true if any node may write to the value's memory.
    pub fn ever_written(&self, value: ValueId) -> bool {
        self.written.meet(self.roots(value))
    }

    /// Returns true if an output of the graph may share the value's memory.
    pub fn returned(&self, value: ValueId) -> bool {
        self.returned.meet(self.roots(value))
    }

    /// Returns true if one node allocated memory for this value alone.
    pub fn is_fresh(&self, value: ValueId) -> bool {
        self.roots(value).as_deref() == Some(&[value]) && !self.given.owners.contains(&value)
    }

    fn follow(&mut self, index: usize, node: &Node) {
        let memory = OpEffect::of(node);
        match memory {
            OpEffect::Fresh => node.defined().for_each(|value| self.set(value, own(value))),
            OpEffect::InPlace => {
                let first = node.inputs.first().and_then(|argument| self.of_operand(&argument.value));
                self.written.add(&first);
                self.writes.push((index, first.clone()));
                node.defined().for_each(|value| self.set(value, first.clone()));
            }
            OpEffect::View | OpEffect::Reads | OpEffect::Unknown => {
                let all = union(node.inputs.iter().map(|argument| self.of_operand(&argument.value)));
                if memory == OpEffect::Unknown {
                    self.written.add(&all);
                    self.writes.push((index, all.clone()));
                }
                for value in node.defined() {
                    // A view has the roots of its argument. A result that may also be new memory
                    // has itself as a root too.
                    let roots =
                        if memory == OpEffect::View { all.clone() } else { union([all.clone(), own(value)]) };
                    self.set(value, roots);
                }
            }
        }
    }

    fn of_operand(&self, operand: &Operand) -> Roots {
        let mut all = Vec::new();
        operand.for_each_value(&mut |value| all.push(self.roots(value).clone()));
        union(all)
    }

    fn set(&mut self, value: ValueId, roots: Roots) {
        if let Some(place) = self.roots.get_mut(value.index()) {
            *place = roots;
        }
    }
}

fn own(value: ValueId) -> Roots {
    Some(Rc::from([value]))
}

fn union(all: impl IntoIterator<Item = Roots>) -> Roots {
    let mut together: Vec<ValueId> = Vec::new();
    for roots in all {
        together.extend_from_slice(&roots?);
    }
    together.sort_unstable();
    together.dedup();
    (together.len() <= MOST_ROOTS).then(|| Rc::from(together))
}

fn overlap(left: &Roots, right: &Roots) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => left.iter().any(|root| right.binary_search(root).is_ok()),
        (None, other) | (other, None) => other.as_ref().is_none_or(|roots| !roots.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{InputBinding, OutputBinding, parse};

    fn named(graph: &Graph, name: &str) -> ValueId {
        ValueId(graph.values.iter().position(|value| value.name == name).unwrap() as u32)
    }

    #[test]
    fn views_lead_to_the_memory_that_is_written() {
        let graph = parse(
            "graph(%x: tensor, %w: tensor, %u: tensor) {
               %a: tensor = aten::relu.default(self=%x)
               %v: tensor = aten::view.default(self=%w, size=[4])
               [%s: tensor, %t: tensor] = aten::split.Tensor(self=%v, split_size=2)
               %b: tensor = aten::add_.Tensor(self=%t, other=%a)
               %r: tensor = aten::einsum.default(equation=\"a\", tensors=[%a])
               return (%r)
             }",
        )
        .unwrap();
        let aliases = AliasAnalysis::of(&graph);
        let written = |name: &str| aliases.ever_written(named(&graph, name));
        assert_eq!(["x", "w", "u", "a", "s", "b"].map(written), [false, true, false, false, true, true]);
        assert!(aliases.written(named(&graph, "w"), 3..4) && !aliases.written(named(&graph, "w"), 0..3));
        assert!(aliases.returned(named(&graph, "a")) && !aliases.returned(named(&graph, "x")));
        assert!(aliases.is_fresh(named(&graph, "a")) && !aliases.is_fresh(named(&graph, "r")));
        assert!(!aliases.is_fresh(named(&graph, "x")));
    }

    #[test]
    fn weights_of_one_storage_share_memory() {
        let mut graph = parse(
            "graph(%x: tensor, %w: tensor, %u: tensor, %v: tensor) {
               %a: tensor = aten::add_.Tensor(self=%w, other=%x)
               return (%v)
             }",
        )
        .unwrap();
        for (at, storage) in [(1, 0), (2, 0), (3, 1)] {
            graph.values[at].storage = Some(storage);
        }
        let aliases = AliasAnalysis::of(&graph);
        let written = |name: &str| aliases.ever_written(named(&graph, name));
        assert_eq!(["x", "w", "u", "v", "a"].map(written), [false, true, true, false, true]);
    }

    #[test]
    fn what_is_copied_back_is_written() {
        let graph = parse(
            "graph(%total: tensor, %x: tensor) {
               %y: tensor = aten::add.Tensor(self=%total, other=%x)
               return (%y)
             }",
        )
        .unwrap();
        let inputs =
            vec![InputBinding::Buffer { name: "total".into(), persistent: true }, InputBinding::User];
        let outputs = vec![OutputBinding::MutatesBuffer("total".into())];
        let function = Function { graph, inputs, outputs };
        let aliases = AliasAnalysis::of_function(&function);
        assert!(aliases.ever_written(named(&function.graph, "total")));
        assert!(!aliases.written(named(&function.graph, "total"), 0..1));
    }

    #[test]
    fn what_is_not_known_writes_to_all_it_is_given() {
        let graph = parse(
            "graph(%x: tensor, %y: tensor) {
               %a: tensor = my_lib::op.default(self=%x)
               %b: tensor = aten::neg.default(self=%y)
               return (%b)
             }",
        )
        .unwrap();
        let aliases = AliasAnalysis::of(&graph);
        assert!(aliases.ever_written(named(&graph, "x")) && !aliases.ever_written(named(&graph, "y")));
    }
}
