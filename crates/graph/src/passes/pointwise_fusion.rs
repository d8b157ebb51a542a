//! Pointwise fusion: chains of operators on elements become one loop over the elements.
//!
//! The node holds the operations as a graph. The graph runs operator by operator if the tensors are
//! not as the exporter recorded them. Only operations with the same result on every processor are
//! included: nothing is approximated, and the order of operations does not change.

use super::alias::AliasAnalysis;
use super::changed::Changed;
use super::device_profile::DeviceProfile;
use super::graph_edit::GraphEdit;
use super::pt2_ops::POINTWISE;
use super::uses::Uses;
use crate::Result;
use crate::graph::{Argument, Author, Function, Graph, Node, Operand, Output, Subgraph, Target, ValueId};
use crate::program::schema::{Layout, ScalarType, TensorMeta};
use std::collections::{HashMap, HashSet};

/// Maximum number of operations in one node.
const MOST_NODES: usize = 4096;

/// Maximum number of tensors that one node reads.
const MOST_INPUTS: usize = 16;

/// Operations on one element, each with its overload and its number of operands.
const OPERATIONS: [(&str, &str, usize); 8] = [
    ("abs", "default", 1),
    ("add", "Tensor", 2),
    ("div", "Tensor", 2),
    ("mul", "Tensor", 2),
    ("neg", "default", 1),
    ("relu", "default", 1),
    ("sqrt", "default", 1),
    ("sub", "Tensor", 2),
];

/// Fuses where the device gains by it.
pub fn run(function: &mut Function, profile: &DeviceProfile) -> Result<Changed> {
    if !profile.pointwise {
        return Ok(Changed::No);
    }
    let groups = groups(&function.graph);
    let mut rewrite = GraphEdit::new(&mut function.graph);
    groups.into_iter().for_each(|(at, earlier, node)| {
        rewrite.replace(at, node);
        earlier.into_iter().for_each(|at| rewrite.remove(at));
    });
    Ok(rewrite.finish())
}

/// Returns, for each group, the position of its last node, those of the others, and the node that
/// replaces them.
fn groups(graph: &Graph) -> Vec<(usize, Vec<usize>, Node)> {
    let (uses, aliases) = (Uses::of(graph), AliasAnalysis::of(graph));
    let mut finder = GroupFinder { graph, uses, aliases, results: HashSet::new() };
    let mut open: HashMap<ValueId, Vec<usize>> = HashMap::new();
    let mut done: Vec<Vec<usize>> = Vec::new();
    for (at, node) in graph.nodes.iter().enumerate() {
        let Some((operands, result)) = finder.operation(node) else { continue };
        finder.results.insert(result);
        let mut members = Vec::new();
        for operand in operands {
            let joins = finder.uses.single_user(operand) == Some(at);
            let Some(earlier) = open.remove(&operand) else { continue };
            let together = [members.as_slice(), earlier.as_slice(), &[at]].concat();
            if joins && finder.may_join(&together) {
                members.extend(earlier);
            } else {
                done.push(earlier);
            }
        }
        members.push(at);
        members.sort_unstable();
        open.insert(result, members);
    }
    done.extend(open.into_values());
    done.retain(|members| members.len() > 1);
    done.sort_unstable();
    done.into_iter().filter_map(|members| finder.join(members)).collect()
}

struct GroupFinder<'a> {
    graph: &'a Graph,
    uses: Uses,
    aliases: AliasAnalysis,
    /// Results of the operations so far. Those of in-place operations are included: they are not
    /// fresh, but no other value reads their memory.
    results: HashSet<ValueId>,
}

impl GroupFinder<'_> {
    /// Returns the tensors that an operation reads and its result, if all are float32 of the same
    /// sizes.
    fn operation(&self, node: &Node) -> Option<(Vec<ValueId>, ValueId)> {
        let (_, in_place, count) = name_of(node)?;
        let result = node.result()?;
        let meta = self.graph.meta(result).filter(|meta| is_plain(meta))?;
        if node.argument("alpha").is_some_and(|alpha| alpha.number() != Some(1.0)) {
            return None;
        }
        let mut operands = vec![node.argument("self")?.value()?];
        if count == 2 {
            match node.argument("other")? {
                Operand::Value(other) => operands.push(*other),
                number => _ = number.number()?,
            }
        }
        let same = |value: &ValueId| {
            self.graph.meta(*value).is_some_and(|other| is_plain(other) && other.sizes == meta.sizes)
        };
        // An in-place operation is included if the overwritten value has no other user.
        let first = *operands.first()?;
        let own = self.aliases.is_fresh(first) || self.results.contains(&first);
        let unseen = !in_place || (own && self.uses.single_user(first).is_some());
        (operands.iter().all(same) && unseen).then_some((operands, result))
    }

    /// Returns true if no other node writes to the group's inputs between its first and its last
    /// node.
    fn may_join(&self, members: &[usize]) -> bool {
        let (Some(first), Some(last)) = (members.iter().min(), members.iter().max()) else { return false };
        let inputs = self.inputs(members);
        let others = || (*first..*last).filter(|at| !members.contains(at));
        inputs.len() <= MOST_INPUTS
            && members.len() <= MOST_NODES
            && (members.len() == last - first + 1
                || others().all(|at| inputs.iter().all(|value| !self.aliases.written(*value, at..at + 1))))
    }

    /// Returns the values that the group reads and does not compute, once each.
    fn inputs(&self, members: &[usize]) -> Vec<ValueId> {
        let nodes = || members.iter().filter_map(|at| self.graph.nodes.get(*at));
        let made: HashSet<ValueId> = nodes().flat_map(|node| node.defined()).collect();
        let mut inputs = Vec::new();
        for node in nodes() {
            node.for_each_use(&mut |value| {
                if !made.contains(&value) && !inputs.contains(&value) {
                    inputs.push(value);
                }
            });
        }
        inputs
    }

    fn join(&self, members: Vec<usize>) -> Option<(usize, Vec<usize>, Node)> {
        let inputs = self.inputs(&members);
        let (at, earlier) = members.split_last()?;
        let last = self.graph.nodes.get(*at)?;
        let result = last.result()?;
        let mut nodes: Vec<Node> =
            members.iter().filter_map(|at| self.graph.nodes.get(*at)).cloned().collect();
        nodes.iter_mut().for_each(make_functional);
        let body = closed(self.graph, inputs.clone(), nodes, result);
        let body = Operand::Graph(Box::new(Subgraph { name: POINTWISE.into(), graph: body }));
        let operands = Operand::List(inputs.into_iter().map(Operand::Value).collect());
        let plain = |value| Argument { name: String::new(), keyword: None, value };
        let node = Node {
            name: last.name.clone(),
            target: Target::HigherOrder(POINTWISE.into()),
            inputs: vec![plain(body), plain(operands)],
            outputs: vec![Output::Value(result)],
            trace: last.trace.clone(),
            author: Author::Exporter,
        };
        Some((*at, earlier.to_vec(), node))
    }
}

/// Returns the nodes and their values as a graph of their own.
fn closed(graph: &Graph, inputs: Vec<ValueId>, nodes: Vec<Node>, result: ValueId) -> Graph {
    let named: Vec<ValueId> =
        inputs.iter().copied().chain(nodes.iter().flat_map(|node| node.defined())).collect();
    let numbers: HashMap<ValueId, ValueId> = named.iter().copied().zip((0..).map(ValueId)).collect();
    let values = named.iter().filter_map(|id| graph.value(*id)).cloned().collect();
    let mut body = Graph { values, inputs, nodes, outputs: vec![Operand::Value(result)] };
    body.for_each_id_mut(&mut |id| *id = numbers.get(id).copied().unwrap_or(*id));
    body
}

/// Returns the operation that a node is, whether it is in place, and its number of operands.
fn name_of(node: &Node) -> Option<(&'static str, bool, usize)> {
    let Target::Operator { namespace, name, overload } = &node.target else { return None };
    let functional = name.strip_suffix('_').unwrap_or(name);
    let found = OPERATIONS.iter().find(|(known, with, _)| *known == functional && with == overload)?;
    (namespace == "aten").then_some((found.0, functional != name, found.2))
}

fn make_functional(node: &mut Node) {
    if let Target::Operator { name, .. } = &mut node.target {
        *name = name.strip_suffix('_').unwrap_or(name).to_owned();
    }
}

fn is_plain(meta: &TensorMeta) -> bool {
    meta.dtype == ScalarType::Float && meta.layout == Layout::Strided
}
